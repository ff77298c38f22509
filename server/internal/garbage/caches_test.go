package garbage

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// deletable is what a client asks for, and then counts on in what it pushes.
type deletable struct {
	name string
	// path is the path of the request, and link that of the file that says that it is there.
	path, link string
	// pushed is a manifest that needs it.
	pushed string
}

// deletables are pushed anew.
func deletables(t *testing.T, r *rig) []deletable {
	layer := registrytest.Layer(1, 100)
	d := digest.FromBytes(layer)
	image := r.Push(t, "app", "1", layer)
	size := len(r.content(t, "app", "1"))
	return []deletable{
		{"a layer", "/v2/app/blobs/" + d.String(), layout.LinkPath(layout.RepositoryPath("app", layout.Layers), d), fmt.Sprintf(
			`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":100},"layers":[]}`,
			v1.MediaTypeImageManifest, v1.MediaTypeImageConfig, d)},
		{"a manifest", "/v2/app/manifests/" + image.String(), layout.RevisionPath("app", image), fmt.Sprintf(
			`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
			v1.MediaTypeImageIndex, v1.MediaTypeImageManifest, image, size)},
	}
}

// TestDeletedElsewhere has another server delete what this one's cache still knows.
func TestDeletedElsewhere(t *testing.T) {
	for i, name := range []string{"a layer", "a manifest"} {
		t.Run(name, func(t *testing.T) {
			driver := folder(t)
			a, b := serve(t, driver, "a", quick, Options{}), serve(t, driver, "b", quick, Options{})
			d := deletables(t, a)[i]
			if status := head(t, a.URL+d.path); status != http.StatusOK {
				t.Fatal(status)
			}
			b.DeletePath(t, d.path)
			if d.name == "a manifest" {
				// Nobody can pull it from any server, even before anything is pushed.
				for _, method := range []string{http.MethodGet, http.MethodHead} {
					if status := a.Status(t, method, d.path); status != http.StatusNotFound {
						t.Errorf("%s: %d", method, status)
					}
				}
			}
			a.refusesUnknown(t, d)
		})
	}
}

// refusesUnknown also expects clients to be told of what is missing before they push again.
func (r *rig) refusesUnknown(t *testing.T, d deletable) {
	t.Helper()
	if status, text := r.tryManifest(t, "app", "2", d.pushed); status != http.StatusBadRequest || !strings.Contains(text, "UNKNOWN") {
		t.Errorf("%d: %s", status, text)
	}
	if status := head(t, r.URL+d.path); status != http.StatusNotFound {
		t.Errorf("it is there: %d", status)
	}
}

// TestDeletedWhileAskedFor deletes what a request has found before the request has noted it in the cache.
func TestDeletedWhileAskedFor(t *testing.T) {
	for i, name := range []string{"a layer", "a manifest"} {
		t.Run(name, func(t *testing.T) {
			driver := &after{folder(t), func(string) {}}
			d := deletables(t, serve(t, driver.StorageDriver, "a", quick, Options{}))[i]
			r := serve(t, driver, "b", quick, Options{})
			deleted := false
			driver.read = func(path string) {
				if path == d.link && !deleted {
					deleted = true
					r.DeletePath(t, d.path)
				}
			}
			head(t, r.URL+d.path)
			if !deleted {
				t.Fatal("it was not asked for")
			}
			r.refusesUnknown(t, d)
		})
	}
}

// TestKnownLayers expects the links of known layers not to be read, even after a pull of the manifest that
// needs them: a store that is far away is asked as seldom as possible.
func TestKnownLayers(t *testing.T) {
	driver := registrytest.NewSpy(folder(t))
	r := serve(t, driver, "a", quick, Options{})
	r.Push(t, "app", "1", registrytest.Layer(1, 100))
	for _, name := range []string{"who uploaded them", "another server"} {
		r.Pulled(t)
		links := layout.RepositoryPath("app", layout.Layers)
		before := driver.Count("get", links)
		r.Pulled(t)
		if again := driver.Count("get", links) - before; again > 0 {
			t.Errorf("%s looked at %d links", name, again)
		}
		r = serve(t, driver, "b", quick, Options{})
	}
}
