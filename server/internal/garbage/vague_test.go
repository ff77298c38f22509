package garbage

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/manifest/schema2"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestDamagedLinkToALayer damages the link that alone tells which bytes belong to a layer that was pushed by
// another algorithm than the engine's. All layers that may be meant stay, and pushing the image again heals
// the link.
func TestDamagedLinkToALayer(t *testing.T) {
	content := registrytest.Layer(1, 100)
	for name, damage := range map[string]func(t *testing.T, r *rig, link string){
		"empty":     func(t *testing.T, r *rig, link string) { r.put(t, link, "") },
		"short":     func(t *testing.T, r *rig, link string) { r.put(t, link, digest.FromBytes(content).String()[:30]) },
		"no digest": func(t *testing.T, r *rig, link string) { r.put(t, link, "<html>") },
		"gone": func(t *testing.T, r *rig, link string) {
			if err := r.collector.driver.Delete(t.Context(), link); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
			r.PushBlob(t, "app", sum512(content), content)
			image := r.pushImage(t, "app", "1", sum512(content), len(content))
			r.Push(t, "app", "2", registrytest.Layer(2, 100))
			r.Push(t, "app", "2", registrytest.Layer(3, 100))
			r.Push(t, "other", "1", registrytest.Layer(4, 100))
			r.Push(t, "other", "1", registrytest.Layer(5, 100))
			whole := r.Pulled(t)
			damage(t, r, layout.LinkPath(layout.RepositoryPath("app", layout.Layers), sum512(content)))
			// By now the servers have forgotten what clients were told.
			r = serve(t, r.collector.driver, "b", quick, r.collector.options)
			var out strings.Builder
			report, err := r.collector.Collect(t.Context(), Request{}, &out)
			// The untagged manifests go, and so does the layer that only the other repository had.
			if err != nil || report.Manifests.Deleted != 2 || report.Blobs.Deleted != 3 {
				t.Errorf("%v: %s\n%s", err, report, &out)
			}
			if want := "the link to " + sum512(content).String() + " in app is gone or damaged, so it cannot be told which layer is meant; all layers of the repository are kept; app@" + image.String() + " needs it"; !strings.Contains(out.String(), want) {
				t.Errorf("it was not told: %s", &out)
			}
			if strings.Contains(out.String(), "is not there") {
				t.Errorf("it is there: %s", &out)
			}
			r = serve(t, r.collector.driver, "c", quick, r.collector.options)
			if status := head(t, r.URL+"/v2/app/blobs/"+sum512(content).String()); status != http.StatusNotFound {
				t.Errorf("clients would not send it again: %d", status)
			}
			r.PushBlob(t, "app", sum512(content), content)
			r.pushImage(t, "app", "1", sum512(content), len(content))
			if got := r.Pulled(t); !slices.Equal(got, whole) {
				t.Errorf("it serves %q", got)
			}
			r = serve(t, r.collector.driver, "d", quick, r.collector.options)
			out.Reset()
			if report, err = r.collector.Collect(t.Context(), Request{}, &out); err != nil || report.Blobs.Deleted != 1 || strings.Contains(out.String(), "warning") {
				t.Errorf("it is not healed: %v: %s\n%s", err, report, &out)
			}
		})
	}
}

// TestDamagedLinkToAKnownLayer is reported but keeps nothing: another repository's link tells which bytes are
// meant.
func TestDamagedLinkToAKnownLayer(t *testing.T) {
	content := registrytest.Layer(1, 100)
	r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
	for _, repository := range []string{"app", "other"} {
		r.PushBlob(t, repository, sum512(content), content)
		r.pushImage(t, repository, "1", sum512(content), len(content))
	}
	r.Push(t, "app", "2", registrytest.Layer(2, 100))
	r.Push(t, "app", "2", registrytest.Layer(3, 100))
	r.put(t, layout.LinkPath(layout.RepositoryPath("app", layout.Layers), sum512(content)), "")
	r = serve(t, r.collector.driver, "b", quick, r.collector.options)
	var out strings.Builder
	report, err := r.collector.Collect(t.Context(), Request{}, &out)
	if err != nil || report.Manifests.Deleted != 1 || report.Blobs.Deleted != 2 || !strings.Contains(out.String(), "in app is gone or damaged; app@") {
		t.Errorf("%v: %s\n%s", err, report, &out)
	}
}

// TestDamagedLinkToAManifest of another algorithm keeps the manifest: the path of the link alone says which one
// it leads to.
func TestDamagedLinkToAManifest(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
	d := r.pushBy512(t, "app", "1", 1)
	r.put(t, layout.RevisionPath("app", d), "")
	r = serve(t, r.collector.driver, "b", quick, r.collector.options)
	if report := r.collect(t, Request{}); report.Manifests.Deleted+report.Blobs.Deleted != 0 {
		t.Errorf("%s", report)
	}
}

// TestForeignLayerByAnotherDigest is in no registry, so nothing is kept for it. For an ordinary layer something
// is kept, even if the manifest names addresses for it.
func TestForeignLayerByAnotherDigest(t *testing.T) {
	for kind, deleted := range map[string]int{
		schema2.MediaTypeForeignLayer:                                  2,
		"application/vnd.oci.image.layer.nondistributable.v1.tar":      2,
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": 2,
		"application/vnd.oci.image.layer.v1.tar+gzip":                  1,
	} {
		r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
		r.Push(t, "app", "2", registrytest.Layer(2, 100))
		r.Push(t, "app", "2", registrytest.Layer(3, 100))
		image := `{"schemaVersion": 2, "layers": [{"mediaType": "` + kind + `", "digest": "` + sum512(nil).String() + `", "size": 1, "urls": ["https://example.com/1"]}]}`
		d := digest.FromString(image)
		r.put(t, layout.BlobPath(d), image)
		r.put(t, layout.RevisionPath("app", d), d.String())
		r.put(t, layout.TagPath("app", "1"), d.String())
		r = serve(t, r.collector.driver, "b", quick, r.collector.options)
		var out strings.Builder
		report, err := r.collector.Collect(t.Context(), Request{}, &out)
		if err != nil || report.Blobs.Deleted != deleted || strings.Contains(out.String(), "warning") != (deleted == 1) {
			t.Errorf("%s: %v: %s\n%s", kind, err, report, &out)
		}
	}
}
