package garbage

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/garbage/plan"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestDeserted has tags about an image that a client deleted by its digest.
func TestDeserted(t *testing.T) {
	layer := func(n uint64) []byte { return registrytest.Layer(n, 100) }
	deleted := func(t *testing.T, r *rig) digest.Digest {
		image := r.Push(t, "app", "1", layer(1))
		r.Delete(t, "app", image.String())
		return image
	}
	all := Options{DeleteUntagged: true}
	tests := []struct {
		name    string
		options Options
		// push pushes a tag about a manifest of the repository, or a variant of that.
		push func(t *testing.T, r *rig) (subject digest.Digest)
		age  time.Duration
		want int
	}{
		{"an image", all, deleted, 2 * time.Hour, http.StatusNotFound},
		{"an index", all, func(t *testing.T, r *rig) digest.Digest {
			index := r.PushIndex(t, "app", "1", r.Push(t, "app", "1", layer(1)))
			r.Delete(t, "app", index.String())
			return index
		}, 2 * time.Hour, http.StatusNotFound},
		{"one that may come again", all, deleted, 50 * time.Minute, http.StatusOK},
		{"one that may come again for as long as somebody wants", Options{DeleteUntagged: true, Grace: 3 * time.Hour}, deleted, 2 * time.Hour, http.StatusOK},
		{"where manifests without a tag stay", Options{}, deleted, 2 * time.Hour, http.StatusOK},
		{"one that is there by its tag", all, func(t *testing.T, r *rig) digest.Digest { return r.Push(t, "app", "1", layer(1)) }, 2 * time.Hour, http.StatusOK},
		{"one of another repository", all, func(t *testing.T, r *rig) digest.Digest {
			image := r.Push(t, "other", "1", layer(1))
			r.Delete(t, "other", image.String())
			return image
		}, 2 * time.Hour, http.StatusOK},
		{"one of another repository, which this one has the parts of", all, func(t *testing.T, r *rig) digest.Digest {
			part := r.Push(t, "app", "part", layer(1))
			index := r.PushIndex(t, "app", "1", part)
			r.Delete(t, "app", index.String())
			r.put(t, layout.RevisionPath("other", index), index.String())
			return index
		}, 2 * time.Hour, http.StatusOK},
		{"one of another registry", all, func(*testing.T, *rig) digest.Digest { return digest.FromString("elsewhere") }, 2 * time.Hour, http.StatusOK},
		{"a layer", all, func(t *testing.T, r *rig) digest.Digest {
			r.Push(t, "app", "1", layer(1))
			return digest.FromBytes(layer(1))
		}, 2 * time.Hour, http.StatusOK},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100})
			r := serve(t, driver, "a", quick, test.options)
			subject := test.push(t, r)
			r.Push(t, "app", "stays", layer(3))
			tag := layout.ReferrersTag(subject) + ".sig"
			r.Push(t, "app", tag, layer(2))
			before(t, filepath.Join(root, layout.TagPath("app", tag)), test.age)
			r = serve(t, driver, "b", quick, test.options)
			dry := r.collect(t, Request{DryRun: true})
			report := r.collect(t, Request{})
			if got := r.head(t, "app:"+tag); got != test.want || dry.Tags != report.Tags {
				t.Errorf("%d instead of %d\n%s", got, test.want, report)
			}
			r.Pulled(t)
			if again := r.collect(t, Request{}); again.Manifests.Deleted+again.Blobs.Deleted+again.Tags.Deleted != 0 {
				t.Errorf("a second collection found more: %s", again)
			}
		})
	}
}

// before makes a file older.
func before(t *testing.T, file string, age time.Duration) {
	t.Helper()
	at := time.Now().Add(-age)
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

// TestDesertedNoLonger has an image pushed again when a tag about it is already on the list of deletions.
func TestDesertedNoLonger(t *testing.T) {
	root := t.TempDir()
	driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100})
	r := serve(t, driver, "a", quick, Options{DeleteUntagged: true})
	image := r.Push(t, "app", "1", registrytest.Layer(1, 100))
	tag := layout.ReferrersTag(image) + ".sig"
	r.Push(t, "app", tag, registrytest.Layer(2, 100))
	before(t, filepath.Join(root, layout.TagPath("app", tag)), 2*time.Hour)
	r.Delete(t, "app", image.String())
	r = serve(t, driver, "b", quick, Options{DeleteUntagged: true})
	collection := r.begin(t)
	if n := len(collection.todo.Deletions); n == 0 || collection.todo.Deletions[0].Stage != plan.Tags {
		t.Fatalf("%d deletions", n)
	}
	r.Push(t, "app", "1", registrytest.Layer(1, 100))
	if err := collection.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lines := r.Pulled(t); r.head(t, "app:"+tag) != http.StatusOK || len(lines) != 8 {
		t.Errorf("left are %q", lines)
	}
}
