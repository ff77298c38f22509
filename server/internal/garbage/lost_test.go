package garbage

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestLostLayer has a layer vanish from the store without a collection, for example by a rule of the bucket. A
// push of an image that needs it is refused, and the next push uploads it, even if another repository would
// lend it.
func TestLostLayer(t *testing.T) {
	layer := registrytest.Layer(1, 100)
	for name, pushed := range map[string]digest.Digest{"sha256": digest.FromBytes(layer), "sha512": sum512(layer)} {
		t.Run(name, func(t *testing.T) {
			r := serve(t, folder(t), "a", quick, Options{})
			for _, repository := range []string{"app", "other"} {
				r.PushBlob(t, repository, pushed, layer)
				r.pushImage(t, repository, "1", pushed, len(layer))
			}
			image, path := r.content(t, "app", "1"), "/v2/app/blobs/"+pushed.String()
			if status := head(t, r.URL+path); status != http.StatusOK {
				t.Fatal(status)
			}
			r.lose(t, digest.FromBytes(layer))
			if status, text := r.tryManifest(t, "app", "1", image); status != http.StatusBadRequest || !strings.Contains(text, "MANIFEST_BLOB_UNKNOWN") {
				t.Errorf("%d: %s", status, text)
			}
			if status := head(t, r.URL+path); status != http.StatusNotFound {
				t.Errorf("it is there: %d", status)
			}
			if status := r.tryMount(t, "app", "other", pushed); status != http.StatusAccepted {
				t.Errorf("it is mounted: %d", status)
			}
			r.PushBlob(t, "app", pushed, layer)
			if status, text := r.tryManifest(t, "app", "1", image); status != http.StatusCreated {
				t.Errorf("%d: %s", status, text)
			}
			r.Pulled(t)
		})
	}
}

// TestLostManifest loses a manifest that an index names.
func TestLostManifest(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	part, content, index := r.pushParted(t)
	r.lose(t, part)
	if status, text := r.tryManifest(t, "app", "1", index); status != http.StatusBadRequest || !strings.Contains(text, "MANIFEST_BLOB_UNKNOWN") {
		t.Errorf("%d: %s", status, text)
	}
	for _, each := range []struct{ reference, content string }{{part.String(), content}, {"1", index}} {
		if status, text := r.tryManifest(t, "app", each.reference, each.content); status != http.StatusCreated {
			t.Errorf("%s: %d: %s", each.reference, status, text)
		}
	}
	r.Pulled(t)
}

// lose deletes the bytes, and leaves the links to them.
func (r *rig) lose(t *testing.T, d digest.Digest) {
	t.Helper()
	if err := r.collector.driver.Delete(t.Context(), layout.BlobPath(d)); err != nil {
		t.Fatal(err)
	}
}

// TestLostBlobsAreTold expects lost blobs to be reported if they are linked. A client that deletes a layer, or
// pushes an index of only a few platforms, does so on purpose. Lost blobs keep nothing from being collected.
func TestLostBlobsAreTold(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
	lost, deleted, by512 := registrytest.Layer(1, 100), registrytest.Layer(2, 100), registrytest.Layer(3, 100)
	image := r.Push(t, "app", "1", lost, lost)
	r.Push(t, "app", "2", lost, deleted)
	r.PushBlob(t, "other", sum512(by512), by512)
	other := r.pushImage(t, "other", "1", sum512(by512), len(by512))
	part := r.Push(t, "app", "", registrytest.Layer(4, 100))
	index := r.PushIndex(t, "app", "3", part)
	r.Push(t, "app", "4", registrytest.Layer(5, 100))
	r.Push(t, "app", "4", registrytest.Layer(6, 100))
	r.DeletePath(t, "/v2/app/blobs/"+digest.FromBytes(deleted).String())
	for _, d := range []digest.Digest{digest.FromBytes(lost), digest.FromBytes(deleted), digest.FromBytes(by512), part} {
		r.lose(t, d)
	}
	r = serve(t, r.collector.driver, "b", quick, r.collector.options)
	var out bytes.Buffer
	report, err := r.collector.Collect(t.Context(), Request{}, &out)
	if err != nil || report.Manifests.Deleted != 1 {
		t.Errorf("%v: %s", err, report)
	}
	second := r.tagged(t, "app", "2")
	for _, want := range []string{
		fmt.Sprintf("warning: %s is not there, and app@%s and 1 more need it; push one of them again, or delete them\n", digest.FromBytes(lost), min(image, second)),
		fmt.Sprintf("warning: %s is not there, and other@%s needs it; push that again or delete it\n", digest.FromBytes(by512), other),
		fmt.Sprintf("warning: %s is not there, and app@%s needs it; push that again or delete it\n", part, index),
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("not told: %s", want)
		}
	}
	if n := strings.Count(out.String(), "warning: "); n != 3 {
		t.Errorf("%d warnings: %s", n, &out)
	}
}
