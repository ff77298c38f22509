package enginestore_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/registrytest"
)

// TestIndexOfLayers pushes a cache of BuildKit, through a server that has not seen its
// layers before.
func TestIndexOfLayers(t *testing.T) {
	logrus.SetLevel(logrus.FatalLevel)
	driver := inmemory.New()
	config := registrytest.Config(t, driver)
	enginestore.Use(config)
	f := fence.New(driver, "a", fence.TimingOf("inmemory"), fence.NoCache{})
	server := httptest.NewServer(f.Handler(handlers.NewApp(t.Context(), config), ""))
	t.Cleanup(server.Close)
	client := registrytest.Client{URL: server.URL}
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
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/v2/team/cache/manifests/other", strings.NewReader(body))
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
