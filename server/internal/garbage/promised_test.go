package garbage

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// forgetful is the timing of a server that begins, or collects, when clients no longer count on anything.
var forgetful = func() fence.Timing {
	timing := quick
	timing.Remember = time.Nanosecond
	return timing
}()

// TestPromisedBefore restarts a server after a client has pushed something by its digest and before a
// collection. What is to name it may still come.
func TestPromisedBefore(t *testing.T) {
	layer := func(n uint64) []byte { return registrytest.Layer(n, 100) }
	untagged := Options{DeleteUntagged: true}
	retained := newest
	retained.DeleteUntagged = true
	for name, test := range map[string]struct {
		options Options
		// age is how long ago everything was pushed when the server is restarted.
		age time.Duration
		// fill returns what has to stay, and what has to go.
		fill func(*testing.T, *rig) (kept, gone []digest.Digest)
	}{
		"an image": {untagged, 0, func(t *testing.T, r *rig) (kept, _ []digest.Digest) {
			return []digest.Digest{r.Push(t, "app", "", layer(1))}, nil
		}},
		"almost an hour before": {untagged, 59 * time.Minute, func(t *testing.T, r *rig) (kept, _ []digest.Digest) {
			return []digest.Digest{r.Push(t, "app", "", layer(1))}, nil
		}},
		"more than an hour before": {untagged, 61 * time.Minute, func(t *testing.T, r *rig) (_, gone []digest.Digest) {
			return nil, []digest.Digest{r.Push(t, "app", "", layer(1))}
		}},
		"an index with its images": {untagged, 0, func(t *testing.T, r *rig) (kept, _ []digest.Digest) {
			image := r.Push(t, "app", "", layer(1))
			return []digest.Digest{image, r.PushIndex(t, "app", "", image)}, nil
		}},
		"what is about one that comes later": {untagged, 0, func(t *testing.T, r *rig) (kept, _ []digest.Digest) {
			return []digest.Digest{r.PushAbout(t, "app", "", digest.FromString("not pushed yet"))}, nil
		}},
		"an image with what is about it": {untagged, 0, func(t *testing.T, r *rig) (kept, _ []digest.Digest) {
			image := r.Push(t, "app", "", layer(1))
			return []digest.Digest{image, r.PushAbout(t, "app", "", image)}, nil
		}},
		"with a tag once": {untagged, 0, func(t *testing.T, r *rig) (kept, gone []digest.Digest) {
			d := r.Push(t, "app", "latest", layer(1))
			r.Push(t, "app", "latest", layer(2))
			return nil, []digest.Digest{d}
		}},
		"in an index with a tag once, or about it": {untagged, 0, func(t *testing.T, r *rig) (kept, gone []digest.Digest) {
			image := r.Push(t, "app", "", layer(1))
			index := r.PushIndex(t, "app", "latest", image)
			about := r.PushAbout(t, "app", "", index)
			r.Push(t, "app", "latest", layer(2))
			return nil, []digest.Digest{image, index, about}
		}},
		"freed by a rule": {retained, 0, func(t *testing.T, r *rig) (kept, gone []digest.Digest) {
			image := r.Push(t, "app", "", layer(1))
			index := r.PushIndex(t, "app", "1", image)
			r.Push(t, "app", "2", layer(2))
			return nil, []digest.Digest{image, index}
		}},
		"freed by a rule before": {retained, 0, func(t *testing.T, r *rig) (kept, gone []digest.Digest) {
			image := r.Push(t, "app", "", layer(1))
			index := r.PushIndex(t, "app", "1", image)
			r.Push(t, "app", "2", layer(2))
			r.head(t, "app@"+index.String())
			if report := r.collect(t, Request{}); report.Tags.Deleted != 1 || report.Manifests.Deleted != 0 {
				t.Fatalf("%s", report)
			}
			return nil, []digest.Digest{image, index}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100})
			kept, gone := test.fill(t, serve(t, driver, "a", quick, test.options))
			for _, each := range slices.Concat(kept, gone) {
				link := filepath.Join(root, layout.RevisionPath("app", each))
				info, err := os.Stat(link)
				if err == nil && test.age > 0 {
					then := info.ModTime().Add(-test.age)
					err = os.Chtimes(link, then, then)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			r := serve(t, driver, "a", quick, test.options)
			dry := r.collect(t, Request{DryRun: true})
			report := r.collect(t, Request{})
			if dry.Manifests != report.Manifests || report.Manifests.Deleted != len(gone) {
				t.Errorf("the dry run said\n%s, and it was\n%s", dry, report)
			}
			r.checkLinks(t)
			for _, each := range kept {
				r.PushIndex(t, "app", each.Encoded(), each)
			}
			r.Pulled(t)
			for _, each := range gone {
				if status := r.head(t, "app@"+each.String()); status != http.StatusNotFound {
					t.Errorf("%s: %d", each, status)
				}
			}
		})
	}
}

// TestDryRunOfPromised expects a dry run, and the page, to treat what clients count on as the collection does.
func TestDryRunOfPromised(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
	r.Push(t, "app", "", registrytest.Layer(1, 100))
	r.Push(t, "app", "1", registrytest.Layer(2, 100))
	old := r.Push(t, "app", "2", registrytest.Layer(3, 100))
	r.Push(t, "app", "2", registrytest.Layer(4, 100))
	r.head(t, "app@"+old.String())
	unused := registrytest.Layer(5, 100)
	r.PushBlob(t, "app", digest.FromBytes(unused), unused)
	r.Push(t, "other", "1", registrytest.Layer(6, 100))
	r.Push(t, "other", "1", registrytest.Layer(7, 100))

	preview := r.looked(t)
	dry := r.collect(t, Request{DryRun: true})
	report := r.collect(t, Request{})
	if dry.Tags != report.Tags || dry.Manifests != report.Manifests || dry.Blobs != report.Blobs || dry.Bytes != report.Bytes ||
		dry.Repositories != report.Repositories || dry.Spared != report.Spared || report.Spared == 0 || report.Manifests.Deleted != 1 {
		t.Errorf("the dry run said\n%s, and it was\n%s", dry, report)
	}
	if named := len(preview.Untagged); named != report.Manifests.Deleted || preview.UntaggedBytes+preview.Bytes != report.Bytes {
		t.Errorf("%+v, and it was\n%s", preview, report)
	}
}
