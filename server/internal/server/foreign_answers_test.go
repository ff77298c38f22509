package server

import (
	"net/http"
	"testing"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestPageForALink has something before the store respond with a page in place of a link. Whatever stands
// between that and the client, nobody must be told that the image is gone.
func TestPageForALink(t *testing.T) {
	store := inmemory.New()
	i := start(t, registrytest.Config(t, store), &http.Client{})
	client := registrytest.Client{URL: i.base}
	layer := []byte("layer")
	d := client.Push(t, "app", "1", layer)
	for path, link := range map[string]string{
		"/v2/app/manifests/1":                               layout.TagPath("app", "1"),
		"/v2/app/manifests/" + d.String():                   layout.RevisionPath("app", d),
		"/v2/app/blobs/" + digest.FromBytes(layer).String(): layout.LinkPath(layout.RepositoryPath("app", layout.Layers), digest.FromBytes(layer)),
	} {
		whole, err := store.GetContent(t.Context(), link)
		if err != nil {
			t.Fatal(err)
		}
		for content, want := range map[string]int{"<html><body>back soon</body></html>": http.StatusServiceUnavailable, string(whole): http.StatusOK} {
			if err := store.PutContent(t.Context(), link, []byte(content)); err != nil {
				t.Fatal(err)
			}
			if got := client.Status(t, http.MethodGet, path); got != want {
				t.Errorf("%s with %q in its link: %d, want %d", path, content, got, want)
			}
		}
		if err := store.PutContent(t.Context(), link, whole); err != nil {
			t.Fatal(err)
		}
	}
}
