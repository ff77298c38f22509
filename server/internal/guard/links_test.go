package guard

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestLinkToNothing has a page of something before the store stand for a link. Nobody is told that
// the image is gone; it can be pushed and deleted.
func TestLinkToNothing(t *testing.T) {
	store := inmemory.New()
	g, driver, said := guarded(store)
	config := registrytest.Config(t, driver)
	server := httptest.NewServer(g.Handler(handlers.NewApp(t.Context(), config)))
	t.Cleanup(server.Close)
	client := registrytest.Client{URL: server.URL}
	layer := []byte("a layer")
	d := client.Push(t, "team/app", "1", layer)
	send := func(method, path string) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/v2/team/app/"+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		_, _ = io.Copy(io.Discard, response.Body)
		return response
	}
	for path, link := range map[string]string{
		"manifests/1":                               layout.TagPath("team/app", "1"),
		"manifests/" + d.String():                   layout.RevisionPath("team/app", d),
		"blobs/" + digest.FromBytes(layer).String(): layout.LinkPath(layout.RepositoryPath("team/app", layout.Layers), digest.FromBytes(layer)),
	} {
		whole, err := store.GetContent(t.Context(), link)
		if err != nil {
			t.Fatal(err)
		}
		put := func(content string) {
			t.Helper()
			if err := store.PutContent(t.Context(), link, []byte(content)); err != nil {
				t.Fatal(err)
			}
		}
		put("<html><body>back soon</body></html>")
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			response := send(method, path)
			if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "10" {
				t.Errorf("%s %s: %s, Retry-After %q", method, path, response.Status, response.Header.Get("Retry-After"))
			}
		}
		if lines := said.String(); strings.Count(lines, "\n") != 1 || !strings.Contains(lines, "path="+link) || !strings.Contains(lines, "something other than the store answered, or the file is damaged") {
			t.Errorf("%s: the log has %s", path, lines)
		}
		said.Reset()
		put(string(whole))
		if response := send(http.MethodGet, path); response.StatusCode != http.StatusOK {
			t.Errorf("GET %s, whole again: %s", path, response.Status)
		}
	}
	damage := func() {
		t.Helper()
		if err := store.PutContent(t.Context(), layout.TagPath("team/app", "1"), []byte("damaged")); err != nil {
			t.Fatal(err)
		}
	}
	damage()
	client.Push(t, "team/app", "1", layer)
	if response := send(http.MethodGet, "manifests/1"); response.StatusCode != http.StatusOK {
		t.Errorf("pushed again: %s", response.Status)
	}
	damage()
	if response := send(http.MethodDelete, "manifests/1"); response.StatusCode != http.StatusAccepted {
		t.Errorf("deleted: %s", response.Status)
	}
}
