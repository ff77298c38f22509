package enginestore_test

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestIndexOfLayers pushes a cache of BuildKit, through a server that has not seen its
// layers before.
func TestIndexOfLayers(t *testing.T) {
	driver := inmemory.New()
	url := serve(t, driver, registrytest.Config(t, driver))
	client := registrytest.Client{URL: url}
	layer, settings := registrytest.Layer(1, 100), []byte("{}")
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
	for mediaType, content := range map[string][]byte{v1.MediaTypeImageLayerGzip: layer, "application/vnd.buildkit.cacheconfig.v0": settings} {
		client.PushBlob(t, "team/cache", digest.FromBytes(content), content)
		index.Manifests = append(index.Manifests, v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))})
	}
	client.PushManifest(t, "team/cache", "cache", index.MediaType, index)

	for _, each := range []struct {
		mediaType string
		content   []byte
	}{{v1.MediaTypeImageLayer, []byte("nothing")}, {v1.MediaTypeImageManifest, layer}} {
		body := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"size":1,"digest":%q}]}`, v1.MediaTypeImageIndex, each.mediaType, digest.FromBytes(each.content))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, url+"/v2/team/cache/manifests/other", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", v1.MediaTypeImageIndex)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", body, response.Status)
		}
	}
}

// TestWalk begins after a repository, and expects the walk to look at nothing inside it.
func TestWalk(t *testing.T) {
	driver := inmemory.New()
	config := registrytest.Config(t, driver)
	client := registrytest.Client{URL: serve(t, driver, config)}
	for _, repository := range []string{"app", "app/sub", "other"} {
		client.Push(t, repository, "latest", []byte("layer"))
	}
	after := layout.RepositoryPath("app", layout.Manifests)
	var repositories []string
	err := inside(t, config, driver).Walk(t.Context(), layout.Repositories, func(info storagedriver.FileInfo) error {
		if strings.HasPrefix(info.Path(), after+"/") {
			t.Errorf("visited %s", info.Path())
		}
		if path.Base(info.Path()) == layout.Manifests {
			repositories = append(repositories, path.Dir(strings.TrimPrefix(info.Path(), layout.Repositories+"/")))
			return storagedriver.ErrSkipDir
		}
		return nil
	}, storagedriver.WithStartAfterHint(after))
	if want := []string{"app/sub", "other"}; err != nil || !slices.Equal(repositories, want) {
		t.Errorf("%q, want %q: %v", repositories, want, err)
	}
}
