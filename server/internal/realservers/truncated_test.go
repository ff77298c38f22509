package realservers

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestTruncatedLayer has a layer that was cut short in the store, for example by a power failure. An image
// with it is refused, and after that clients that ask for the layer are told to upload it.
func TestTruncatedLayer(t *testing.T) {
	s3, data := startS3(t), filepath.Join(t.TempDir(), "data")
	for name, store := range map[string]struct{ section, data string }{
		"folder": {folderStorage(data), data},
		"S3":     {s3Storage("images", s3.values["accesskey"], s3.values["secretkey"], s3.values["endpoint"]), filepath.Join(s3.folder, "data", "images")},
	} {
		t.Run(name, func(t *testing.T) {
			address := registrytest.FreeAddress(t)
			start := func() *serving {
				return serveProcess(t, command(t.Context(), t, nil, "serve", configFile(t, "server", config(address, store.section))), address)
			}
			server := start()
			layer := registrytest.Layer(1, 10_000)
			d := digest.FromBytes(layer)
			server.Push(t, "app", "1", layer)
			_, image := answer(t, http.MethodGet, server.URL+"/v2/app/manifests/1")
			server.kill()
			if err := os.Truncate(filepath.Join(store.data, layout.BlobPath(d)), 5_000); err != nil {
				t.Fatal(err)
			}
			server = start()
			if response, _ := answer(t, http.MethodHead, server.URL+"/v2/app/blobs/"+d.String()); response.StatusCode != http.StatusOK {
				t.Fatal(response.Status)
			}
			put := func(want int) {
				t.Helper()
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+"/v2/app/manifests/1", bytes.NewReader(image))
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Content-Type", v1.MediaTypeImageManifest)
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				if response.StatusCode != want {
					t.Fatal(response.Status)
				}
			}
			put(http.StatusBadRequest)
			if response, _ := answer(t, http.MethodHead, server.URL+"/v2/app/blobs/"+d.String()); response.StatusCode != http.StatusNotFound {
				t.Fatal(response.Status)
			}
			server.PushBlob(t, "app", d, layer)
			put(http.StatusCreated)
			server.Pulled(t)
		})
	}
}
