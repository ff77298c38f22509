package realservers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
)

const (
	manyRepositories, manyTags, manyReferrers = 100_000, 10_000, 1_000
	// limitOfLists is how much memory lists may take, in MiB: at most the names of one folder.
	limitOfLists = 64
)

// TestLongLists lists 100,000 repositories, 10,000 tags and 1,000 referrers, and prints how long
// that takes and how much memory the server uses.
func TestLongLists(t *testing.T) {
	root := t.TempDir()
	subject := fillLarge(t, root)
	server := serveUsers(t, folderStorage(root), nil, "#!access few pull flat/499* big/*\n"+userLine(t, "few"), false)
	peak := watchMemory(t, server.process.Process.Pid)

	for _, each := range []struct {
		what, user, path, key string
		want                  int
	}{
		{"repositories", userName, "/v2/_catalog?n=1000", "repositories", manyRepositories + 1},
		{"repositories of a user who may pull few", "few", "/v2/_catalog", "repositories", 100 + 1},
		{"tags", userName, "/v2/big/tags/tags/list", "tags", manyTags},
		{"tags, in pages", userName, "/v2/big/tags/tags/list?n=1000", "tags", manyTags},
		{"repositories after the one with many tags", userName, "/v2/_catalog?n=1&last=big/tags", "repositories", 1},
		{"referrers", userName, "/v2/big/tags/referrers/" + subject.String(), "manifests", manyReferrers},
	} {
		t.Run(each.what, func(t *testing.T) {
			one := strings.Contains(each.path, "n=1&")
			var pages []time.Duration
			found := 0
			for path := each.path; path != "" && (!one || len(pages) == 0); {
				var n int
				began := time.Now()
				n, path = server.list(t, each.user, path, each.key)
				pages = append(pages, time.Since(began))
				found += n
			}
			if found != each.want {
				t.Errorf("%d, want %d", found, each.want)
			}
			var all time.Duration
			for _, page := range pages {
				all += page
			}
			t.Logf("%d in %s: %d pages, the first %s, the longest %s", found, all.Round(time.Millisecond), len(pages),
				pages[0].Round(time.Millisecond), slices.Max(pages).Round(time.Millisecond))
		})
	}
	used := peak()
	t.Logf("at most %d MiB", used)
	if used > limitOfLists {
		t.Errorf("the server used %d MiB", used)
	}
}

// list returns how many entries a page has, and where the next page is.
func (s secured) list(t *testing.T, user, path, key string) (n int, next string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth(user, userPassword)
	response, err := s.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var page map[string]json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", path, response.Status, err)
	}
	var names []json.RawMessage
	if err := json.Unmarshal(page[key], &names); err != nil {
		t.Fatal(err)
	}
	if link := nextPage.FindStringSubmatch(response.Header.Get("Link")); link != nil {
		next = link[1]
	}
	return len(names), next
}

// fillLarge fills a folder with all of that, and returns the image that the referrers are about.
func fillLarge(t *testing.T, root string) digest.Digest {
	t.Helper()
	write := func(path string, content []byte) error {
		file := filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		return os.WriteFile(file, content, 0o600)
	}
	image := func(subject *v1.Descriptor, i int) ([]byte, digest.Digest) {
		content, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": v1.MediaTypeImageManifest, "layers": []v1.Descriptor{}, "subject": subject,
			"config": v1.DescriptorEmptyJSON, "artifactType": "application/example", "annotations": map[string]string{"number": fmt.Sprint(i)}})
		if err != nil {
			t.Fatal(err)
		}
		return content, digest.FromBytes(content)
	}
	content, subject := image(nil, 0)
	const tagged = "big/tags"
	var group errgroup.Group
	group.SetLimit(8)
	group.Go(func() error { return write(layout.BlobPath(subject), content) })
	for i := range manyRepositories {
		name := fmt.Sprintf("team-%03d/app-%03d", i/1000, i%1000)
		if i%2 == 0 {
			name = fmt.Sprintf("flat/%05d", i/2)
		}
		group.Go(func() error {
			return os.MkdirAll(filepath.Join(root, layout.RepositoryPath(name, layout.Manifests)), 0o755)
		})
	}
	group.Go(func() error { return write(layout.RevisionPath(tagged, subject), []byte(subject)) })
	for i := range manyTags {
		group.Go(func() error { return write(layout.TagPath(tagged, fmt.Sprintf("1.%d", i)), []byte(subject)) })
	}
	about := v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: subject, Size: int64(len(content))}
	for i := range manyReferrers {
		content, d := image(&about, i+1)
		group.Go(func() error { return write(layout.BlobPath(d), content) })
		group.Go(func() error { return write(layout.RevisionPath(tagged, d), []byte(d)) })
		group.Go(func() error { return write(layout.ReferrerPath(tagged, subject, d), []byte(d)) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return subject
}
