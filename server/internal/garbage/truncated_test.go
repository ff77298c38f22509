package garbage

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestTruncatedLayer is uploaded again, and served whole.
func TestTruncatedLayer(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	layer := registrytest.Layer(1, 100)
	r.Push(t, "app", "1", layer)
	r.put(t, layout.BlobPath(digest.FromBytes(layer)), "truncated")
	r = serve(t, r.collector.driver, "b", quick, Options{})
	r.Push(t, "app", "1", layer)
	r.Pulled(t)
}

// TestTruncatedLayerThatIsThere has a client told that a truncated layer is there. The push of its image is
// refused. The client pushes again, is told that the layer is not there, and uploads it. Other repositories
// and servers forget what they knew of it.
func TestTruncatedLayerThatIsThere(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	layer := registrytest.Layer(1, 100)
	d := digest.FromBytes(layer)
	r.Push(t, "app", "1", layer)
	r.Push(t, "other", "1", layer)
	image := r.content(t, "app", "1")
	r.put(t, layout.BlobPath(d), "truncated")
	r, elsewhere := serve(t, r.collector.driver, "b", quick, Options{}), serve(t, r.collector.driver, "c", quick, Options{})
	for _, each := range []*rig{r, elsewhere} {
		for _, repository := range []string{"app", "other"} {
			if status := head(t, each.URL+"/v2/"+repository+"/blobs/"+d.String()); status != http.StatusOK {
				t.Errorf("it is no secret: %d", status)
			}
		}
	}
	if status, text := r.tryManifest(t, "app", "1", image); status != http.StatusBadRequest || !strings.Contains(text, "SIZE_INVALID") || !strings.Contains(text, d.String()) {
		t.Errorf("%d: %s", status, text)
	}
	if status := head(t, r.URL+"/v2/app/blobs/"+d.String()); status != http.StatusNotFound {
		t.Errorf("it is still there: %d", status)
	}
	if status := r.tryMount(t, "app", "other", d); status != http.StatusAccepted {
		t.Errorf("it is mounted: %d", status)
	}
	r.PushBlob(t, "app", d, layer)
	if status, text := r.tryManifest(t, "app", "1", image); status != http.StatusCreated {
		t.Errorf("%d: %s", status, text)
	}
	time.Sleep(quick.Fresh)
	for _, each := range []*rig{r, elsewhere} {
		if status := head(t, each.URL+"/v2/other/blobs/"+d.String()); status != http.StatusOK {
			t.Errorf("%d", status)
		}
		each.Pulled(t)
	}
}

// TestTruncatedManifest truncates a manifest that an index names. Clients ask for it before they push it again.
func TestTruncatedManifest(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	part, content, index := r.pushParted(t)
	r.put(t, layout.BlobPath(part), content[:len(content)/2])
	r = serve(t, r.collector.driver, "b", quick, Options{})
	for _, reference := range []string{"part", part.String()} {
		if status := head(t, r.URL+"/v2/app/manifests/"+reference); status != http.StatusNotFound {
			t.Errorf("%s is there: %d", reference, status)
		}
	}
	if status, text := r.tryManifest(t, "app", "1", index); status != http.StatusBadRequest || !strings.Contains(text, "SIZE_INVALID") {
		t.Errorf("%d: %s", status, text)
	}
	if status := head(t, r.URL+"/v2/app/manifests/"+part.String()); status != http.StatusNotFound {
		t.Errorf("it is there: %d", status)
	}
	for _, each := range []struct{ reference, content string }{{part.String(), content}, {"1", index}} {
		if status, text := r.tryManifest(t, "app", each.reference, each.content); status != http.StatusCreated {
			t.Errorf("%s: %d: %s", each.reference, status, text)
		}
	}
	if status := head(t, r.URL+"/v2/app/manifests/"+part.String()); status != http.StatusOK {
		t.Errorf("%d", status)
	}
	r.Pulled(t)
}

// TestWrongSize has a manifest that gives a wrong size for a layer. The layer, which is too large to be read, is
// there again after it was uploaded again.
func TestWrongSize(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	layer := registrytest.Layer(1, 4<<20+1)
	d := digest.FromBytes(layer)
	for name, pushed := range map[string]digest.Digest{"sha256": d, "sha512": sum512(layer)} {
		t.Run(name, func(t *testing.T) {
			r.PushBlob(t, "app", pushed, layer)
			r.PushBlob(t, "app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
			const image = `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":2},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`
			manifest := func(size int) string {
				return fmt.Sprintf(image, v1.MediaTypeImageManifest, v1.MediaTypeImageConfig, v1.DescriptorEmptyJSON.Digest, v1.MediaTypeImageLayer, pushed, size)
			}
			if status, text := r.tryManifest(t, "app", "1", manifest(99)); status != http.StatusBadRequest || !strings.Contains(text, "SIZE_INVALID") {
				t.Errorf("%d: %s", status, text)
			}
			if status := head(t, r.URL+"/v2/app/blobs/"+pushed.String()); status != http.StatusNotFound {
				t.Errorf("it is still there: %d", status)
			}
			r.PushBlob(t, "app", pushed, layer)
			if status := head(t, r.URL+"/v2/app/blobs/"+pushed.String()); status != http.StatusOK {
				t.Errorf("%d", status)
			}
			if status, text := r.tryManifest(t, "app", "1", manifest(len(layer))); status != http.StatusCreated {
				t.Errorf("%d: %s", status, text)
			}
		})
	}
}

// TestWrongSizeOfWhatIsNamedTwice is refused wherever the wrong size stands, and leaves what is there.
func TestWrongSizeOfWhatIsNamedTwice(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	empty := v1.DescriptorEmptyJSON
	r.PushBlob(t, "app", empty.Digest, empty.Data)
	image := func(config, layer string) string {
		const text = `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":%s},"layers":[{"mediaType":%q,"digest":%q,"size":%s}]}`
		return fmt.Sprintf(text, v1.MediaTypeImageManifest, v1.MediaTypeImageConfig, empty.Digest, config, v1.MediaTypeImageLayer, empty.Digest, layer)
	}
	for _, size := range []string{"1", "3", "0", "-1", "null", "9223372036854775807", "9223372036854775808"} {
		for place, content := range map[string]string{"config": image(size, "2"), "layer": image("2", size)} {
			if status, text := r.tryManifest(t, "app", "1", content); status != http.StatusBadRequest {
				t.Errorf("%s of %s: %d: %s", place, size, status, text)
			}
		}
	}
	if status, text := r.tryManifest(t, "app", "1", image("2", "2")); status != http.StatusCreated {
		t.Errorf("%d: %s", status, text)
	}
}

// TestWrongSizeOfWhatIsWhole leaves the blob there for all that ask: the server reads it and can tell that the
// manifest is wrong. For a large blob, only an impossible size shows that.
func TestWrongSizeOfWhatIsWhole(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	small, large := registrytest.Layer(1, 100), registrytest.Layer(2, 4<<20+1)
	part := r.Push(t, "app", "part", small, large)
	r.PushBlob(t, "app", sum512(small), small)
	manifests, blobs := "/v2/app/manifests/", "/v2/app/blobs/"
	const image = `{"schemaVersion":2,"mediaType":%q,"config":{"digest":%q,"size":1},"layers":[{"digest":%q,"size":%s}]}`
	const index = `{"schemaVersion":2,"mediaType":%q,"manifests":[{"mediaType":%q,"digest":%q,"size":%s}]}`
	for _, test := range []struct{ size, of, content string }{
		{"1", manifests + part.String(), fmt.Sprintf(index, v1.MediaTypeImageIndex, v1.MediaTypeImageManifest, part, "1")},
		{"-1", manifests + part.String(), fmt.Sprintf(index, v1.MediaTypeImageIndex, v1.MediaTypeImageManifest, part, "-1")},
		{"1", blobs + digest.FromBytes(small).String(), fmt.Sprintf(image, v1.MediaTypeImageManifest, digest.FromString("none"), digest.FromBytes(small), "1")},
		{"1", blobs + sum512(small).String(), fmt.Sprintf(image, v1.MediaTypeImageManifest, digest.FromString("none"), sum512(small), "1")},
		{"-1", blobs + digest.FromBytes(large).String(), fmt.Sprintf(image, v1.MediaTypeImageManifest, digest.FromString("none"), digest.FromBytes(large), "-1")},
		{"text", blobs + digest.FromBytes(large).String(), fmt.Sprintf(image, v1.MediaTypeImageManifest, digest.FromString("none"), digest.FromBytes(large), `"x"`)},
		{"1.5", blobs + digest.FromBytes(large).String(), fmt.Sprintf(image, v1.MediaTypeImageManifest, digest.FromString("none"), digest.FromBytes(large), "1.5")},
	} {
		if status, text := r.tryManifest(t, "app", "1", test.content); status != http.StatusBadRequest || strings.Contains(text, "anew") {
			t.Errorf("size %s of %s: %d: %s", test.size, test.of, status, text)
		}
		if status := head(t, r.URL+test.of); status != http.StatusOK {
			t.Errorf("size %s of %s: it is not there: %d", test.size, test.of, status)
		}
	}
}

// pushParted pushes an index, app:1, of one image, app:part.
func (r *rig) pushParted(t *testing.T) (part digest.Digest, content, index string) {
	t.Helper()
	part = r.Push(t, "app", "part", registrytest.Layer(1, 100))
	r.PushIndex(t, "app", "1", part)
	return part, r.content(t, "app", "part"), r.content(t, "app", "1")
}

// content is the content of a manifest.
func (r *rig) content(t *testing.T, repository, tag string) string {
	t.Helper()
	d, err := r.collector.driver.GetContent(t.Context(), layout.TagPath(repository, tag))
	if err != nil {
		t.Fatal(err)
	}
	content, err := r.collector.driver.GetContent(t.Context(), layout.BlobPath(digest.Digest(d)))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func (r *rig) tryMount(t *testing.T, repository, from string, d digest.Digest) int {
	t.Helper()
	response, err := http.Post(r.URL+"/v2/"+repository+"/blobs/uploads/?from="+from+"&mount="+d.String(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}
