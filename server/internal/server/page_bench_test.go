package server

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// BenchmarkPage measures pages of a registry with 10,000 repositories, and of a repository
// with 10,000 tags: the first one of each kind, and those after it.
func BenchmarkPage(b *testing.B) {
	root := b.TempDir()
	const many = 10_000
	for i := range many {
		fillRepository(b, root, fmt.Sprintf("team-%d/app-%d", i%50, i), "latest", i)
		fillRepository(b, root, "tags", "1."+strconv.Itoa(i), i)
	}
	config := registrytest.Parse(b, "http: {secret: abc}\nstorage: {filesystem: {rootdirectory: "+root+"}, delete: {enabled: true}}\n")
	browser := browse(b, config, people).as(b, "alice")
	poll.Until(b, "the repositories", func() bool { _, counted := browser.at.holdings.At(); return counted })
	for _, page := range []struct{ name, path string }{
		{"repositories", "/ui/"},
		{"folder", "/ui/?folder=team-7"},
		{"search", "/ui/?q=app-99"},
		{"tags", "/ui/r/tags"},
		{"tags, the last page", "/ui/r/tags?page=100"},
		{"image", "/ui/r/tags:1.77"},
	} {
		b.Run(page.name, func(b *testing.B) {
			began := time.Now()
			if answer := browser.get(b, page.path); answer.status != http.StatusOK {
				b.Fatal(answer.status)
			}
			first := time.Since(began)
			for b.Loop() {
				browser.get(b, page.path)
			}
			var memory runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&memory)
			b.ReportMetric(float64(first.Microseconds())/1000, "ms-first")
			b.ReportMetric(float64(memory.HeapAlloc)/(1<<20), "MiB-heap")
		})
	}
}

// fillRepository writes what the engine writes, without its checks.
func fillRepository(b *testing.B, root, repository, tag string, n int) {
	b.Helper()
	config := fmt.Sprintf(`{"os":"linux","architecture":"amd64","author":"%d"}`, n)
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[]}`,
		digest.FromString(config), len(config))
	d := digest.FromString(manifest)
	for path, content := range map[string]string{
		layout.BlobPath(digest.FromString(config)): config,
		layout.BlobPath(d):                         manifest,
		layout.RevisionPath(repository, d):         d.String(),
		layout.TagPath(repository, tag):            d.String(),
	} {
		file := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			b.Fatal(err)
		}
	}
}
