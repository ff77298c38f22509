package enginestore_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestDeletionOnceMore repeats a deletion after the store failed to say what the tags name. The
// first attempt has already deleted the manifest.
func TestDeletionOnceMore(t *testing.T) {
	spy := registrytest.NewSpy(inmemory.New())
	client := registrytest.Client{URL: serve(t, spy, registrytest.Config(t, spy))}
	image := client.Push(t, "app", "latest", []byte("layer"))
	client.Push(t, "app", "other", []byte("other layer"))
	failing := true
	spy.Before = func(action, path string) error {
		if failing && action == "get" && path == layout.TagPath("app", "latest") {
			return errors.New("input/output error")
		}
		return nil
	}
	remove := func(d digest.Digest) int { return client.Status(t, http.MethodDelete, "/v2/app/manifests/"+d.String()) }
	if status := remove(image); status != http.StatusInternalServerError {
		t.Errorf("while the store fails: %d", status)
	}
	if status := remove(image); status != http.StatusServiceUnavailable {
		t.Errorf("while it still fails: %d", status)
	}
	failing = false
	if status := remove(image); status != http.StatusAccepted {
		t.Errorf("after that: %d", status)
	}
	if tags := client.Tags(t, "app"); len(tags) != 1 || tags[0] != "other" {
		t.Errorf("left are %q", tags)
	}
	if status := remove(image); status != http.StatusNotFound {
		t.Errorf("when all is gone: %d", status)
	}
	// A tag that is pushed again while the engine looks through the tags stays.
	if err := spy.PutContent(t.Context(), layout.TagPath("app", "latest"), []byte(image)); err != nil {
		t.Fatal(err)
	}
	spy.Before = func(action, path string) error {
		if action == "get" && path == layout.TagPath("app", "latest") {
			return spy.StorageDriver.PutContent(t.Context(), layout.RevisionPath("app", image), []byte(image))
		}
		return nil
	}
	if status := remove(image); status != http.StatusNotFound || len(client.Tags(t, "app")) != 2 {
		t.Errorf("pushed again meanwhile: %d", status)
	}
	tags := layout.RepositoryPath("app", layout.Tags)
	before := spy.Count("list", tags)
	if status := remove(digest.FromString("nothing")); status != http.StatusNotFound {
		t.Errorf("what never was there: %d", status)
	}
	if spy.Count("list", tags) != before {
		t.Error("the tags are looked through for what never was there")
	}
}

// TestEmptyLinks has links that a power cut left empty: their targets count as missing, and a push
// repairs them.
func TestEmptyLinks(t *testing.T) {
	driver := inmemory.New()
	client := registrytest.Client{URL: serve(t, driver, registrytest.Config(t, driver))}
	layer := []byte("layer")
	image := client.Push(t, "app", "1", layer)
	for link, path := range map[string]string{
		layout.LinkPath(layout.RepositoryPath("app", layout.Layers), digest.FromBytes(layer)): "/v2/app/blobs/" + digest.FromBytes(layer).String(),
		layout.RevisionPath("app", image): "/v2/app/manifests/" + image.String(),
	} {
		if err := driver.PutContent(t.Context(), link, nil); err != nil {
			t.Fatal(err)
		}
		for _, method := range []string{http.MethodHead, http.MethodGet} {
			if status := client.Status(t, method, path); status != http.StatusNotFound {
				t.Errorf("%s %s: %d", method, path, status)
			}
		}
		client.Push(t, "app", "1", layer)
		client.Pulled(t)
	}
}

// TestFilesAmongTags has files that people left among the tags: they are not tags, and no deletion fails on them.
func TestFilesAmongTags(t *testing.T) {
	root := t.TempDir()
	driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100})
	client := registrytest.Client{URL: serve(t, driver, registrytest.Config(t, driver))}
	image := client.Push(t, "app", "latest", []byte("layer"))
	client.Push(t, "app", "other", []byte("other layer"))
	for _, name := range []string{".DS_Store", "readme"} {
		if err := os.WriteFile(filepath.Join(root, layout.RepositoryPath("app", layout.Tags, name)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{http.StatusAccepted, http.StatusNotFound} {
		if status := client.Status(t, http.MethodDelete, "/v2/app/manifests/"+image.String()); status != want {
			t.Errorf("%d, want %d", status, want)
		}
	}
	if tags := client.Tags(t, "app"); slices.Contains(tags, ".DS_Store") || slices.Contains(tags, "latest") {
		t.Errorf("left are %q", tags)
	}
	if status := client.Status(t, http.MethodGet, "/v2/app/manifests/readme"); status != http.StatusNotFound {
		t.Errorf("what is no tag: %d", status)
	}
}
