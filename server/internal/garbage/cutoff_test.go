package garbage

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestCutOffPushes has tags that name nothing, and incomplete files, left by pushes that were cut off. They go
// when nobody can be writing them any more.
func TestCutOffPushes(t *testing.T) {
	root := t.TempDir()
	driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100})
	r := serve(t, driver, "a", quick, Options{DeleteUntagged: true})
	layer := registrytest.Layer(1, 100)
	image := r.Push(t, "app", "1", layer)
	untagged := r.another(t).Push(t, "app", "2", registrytest.Layer(2, 100))
	r.another(t).Push(t, "app", "2", registrytest.Layer(3, 100))
	whole := r.Pulled(t)
	tag := func(names ...string) string {
		return layout.RepositoryPath("app", append([]string{layout.Tags}, names...)...)
	}
	const ending = ".0b2a4c9e-1f63-4d27-9a5b-c0ffee123456.tmp"
	past := layout.LinkPath(tag("indexed", "index"), untagged)
	files := []string{
		past, tag("begun", "current", "link"+ending), tag("1", "current", "link"+ending),
		layout.RevisionPath("app", image) + ending, layout.BlobPath(digest.FromBytes(layer)) + ending, layout.BlobPath(digest.FromString("never whole")) + ending,
		tag("readme"), tag("link"+ending, "current", "link"),
	}
	for _, each := range files {
		content := ""
		if each == past || filepath.Base(each) == "link" {
			content = string(image)
		}
		r.put(t, each, content)
	}
	if err := os.MkdirAll(filepath.Join(root, tag("empty")), 0o700); err != nil {
		t.Fatal(err)
	}
	left := func() (list []string) {
		for _, each := range append(slices.Clone(files), tag("empty")) {
			if _, err := os.Stat(filepath.Join(root, each)); err == nil {
				list = append(list, each)
			}
		}
		return list
	}
	report := r.collect(t, Request{})
	if got, want := left(), append(slices.DeleteFunc(slices.Clone(files), func(each string) bool { return each == past }), tag("empty")); !slices.Equal(got, want) || report.Tags.Deleted != 0 {
		t.Errorf("young: left are %q\n%s", got, report)
	}
	old := time.Now().Add(-inventory.Abandonment - time.Minute)
	for _, each := range append([]string{tag("indexed"), tag("begun"), tag("empty")}, left()...) {
		if err := os.Chtimes(filepath.Join(root, each), old, old); err != nil {
			t.Fatal(err)
		}
	}
	report = r.collect(t, Request{})
	if got, want := left(), []string{tag("readme"), tag("link"+ending, "current", "link")}; !slices.Equal(got, want) || report.Tags.Deleted != 3 {
		t.Errorf("left are %q\n%s", got, report)
	}
	if err := driver.Delete(t.Context(), tag("link"+ending)); err != nil {
		t.Fatal(err)
	}
	if err := driver.Delete(t.Context(), tag("readme")); err != nil {
		t.Fatal(err)
	}
	if got := r.Pulled(t); !slices.Equal(got, whole) {
		t.Errorf("it serves %q", got)
	}
}

// TestCutOffAndPushedAgain has a tag written when it is already on the list of deletions, by a server that
// told of it before the collection began.
func TestCutOffAndPushedAgain(t *testing.T) {
	root := t.TempDir()
	driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100})
	r := serve(t, driver, "a", quick, Options{})
	image := r.Push(t, "app", "1", registrytest.Layer(1, 100))
	folder, old := filepath.Join(root, layout.RepositoryPath("app", layout.Tags, "2")), time.Now().Add(-inventory.Abandonment-time.Minute)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(folder, old, old); err != nil {
		t.Fatal(err)
	}
	collection := r.begin(t)
	if n := len(collection.todo.Deletions); n != 1 {
		t.Fatalf("%d deletions", n)
	}
	r.put(t, layout.TagPath("app", "2"), image.String())
	if err := collection.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.tagged(t, "app", "2"); got != image {
		t.Errorf("the tag names %q", got)
	}
}
