package size

import (
	"context"
	"path"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// walking looks into folders one by one, as most drivers do.
type walking struct{ *registrytest.Spy }

func (d walking) Walk(ctx context.Context, folder string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	return storagedriver.WalkFallback(ctx, d, folder, visit, options...)
}

// TestSize deletes folders while they are read: everything that is left counts.
func TestSize(t *testing.T) {
	spy := registrytest.NewSpy(inmemory.New())
	config := registrytest.Config(t, walking{spy})
	expect := func(want string) {
		t.Helper()
		if got, err := Of(t.Context(), config); err != nil || got.String() != want {
			t.Errorf("%v, %v; want %s", got, err, want)
		}
	}
	expect("0 repositories, 0 blobs, 0.0 MB")
	put := func(file string, content []byte) {
		t.Helper()
		if err := spy.PutContent(t.Context(), file, content); err != nil {
			t.Fatal(err)
		}
	}
	var blobs []digest.Digest
	for i := range 3 {
		content := registrytest.Layer(uint64(i), 100_000)
		blobs = append(blobs, digest.FromBytes(content))
		put(layout.BlobPath(blobs[i]), content)
	}
	for _, name := range []string{"a", "a/b", "b", "c"} {
		put(layout.RevisionPath(name, blobs[0]), []byte(blobs[0]))
	}
	// Layers alone are not an image.
	put(layout.LinkPath(layout.RepositoryPath("d", layout.Layers), blobs[0]), []byte(blobs[0]))
	expect("4 repositories, 3 blobs, 0.3 MB")

	going := map[string]bool{layout.RepositoryPath("b"): true, path.Dir(layout.BlobPath(blobs[1])): true}
	spy.Before = func(action, folder string) error {
		if action == "list" && going[folder] {
			return spy.StorageDriver.Delete(t.Context(), folder)
		}
		return nil
	}
	expect("3 repositories, 2 blobs, 0.2 MB")
}
