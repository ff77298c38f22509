package garbage

import (
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/store"
)

// TestPageForALink has something in front of the store answer in its place. A tag would be taken for a damaged
// one, and the link of a layer by another algorithm for one that leads nowhere.
func TestPageForALink(t *testing.T) {
	layer := registrytest.Layer(1, 100)
	other := digest.SHA512.FromBytes(layer)
	for name, link := range map[string]string{
		"tag":   layout.TagPath("app", "1"),
		"layer": layout.LinkPath(layout.RepositoryPath("app", layout.Layers), other),
	} {
		r := serve(t, store.Steady(inmemory.New()), "a", quick, Options{DeleteUntagged: true})
		r.PushBlob(t, "app", other, layer)
		r.Push(t, "app", "1", layer)
		r.Push(t, "app", "2", registrytest.Layer(2, 100))
		r.Push(t, "app", "2", registrytest.Layer(3, 100))
		whole, err := r.collector.driver.GetContent(t.Context(), link)
		if err != nil {
			t.Fatal(err)
		}
		r.put(t, link, "<html><body>back soon</body></html>")
		report, err := r.collector.Collect(t.Context(), Request{}, testLog{t})
		if err == nil || !strings.Contains(err.Error(), link+" holds no digest") {
			t.Errorf("%s: %v: %v", name, report, err)
		}
		r.put(t, link, string(whole))
		r.Pulled(t)
	}
}
