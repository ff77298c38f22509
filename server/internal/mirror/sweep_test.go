package mirror

import (
	"context"
	"path"
	"slices"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// listing has no folders, like Swift's driver, and reads no more than it has to.
type listing struct {
	storagedriver.StorageDriver
	read []string
}

func (l *listing) Files(ctx context.Context, folder string, visit func(storagedriver.FileInfo) error) error {
	var files []storagedriver.FileInfo
	err := l.StorageDriver.Walk(ctx, folder, func(info storagedriver.FileInfo) error {
		if !info.IsDir() {
			files = append(files, info)
		}
		return nil
	})
	for _, info := range files {
		if err == nil {
			err = visit(info)
		}
	}
	return err
}

func (l *listing) GetContent(ctx context.Context, file string) ([]byte, error) {
	l.read = append(l.read, file)
	return l.StorageDriver.GetContent(ctx, file)
}

// TestSweep has a store that lists only files, a layer that was not moved to its place, and a tag with the name
// of the uploads folder.
func TestSweep(t *testing.T) {
	d := digest.FromString("x")
	at := func(names ...string) string { return layout.RepositoryPath("library/app", names...) }
	cut, whole := layout.LinkPath(at(layout.Layers), digest.FromString("cut")), layout.LinkPath(at(layout.Layers), d)
	kept := []string{whole, layout.TagPath("library/app", layout.Uploads)}
	gone := []string{at(layout.Uploads, "1", "data"), at(layout.Uploads, "1", "startedat"), cut}
	memory := inmemory.New()
	for _, file := range slices.Concat(kept, gone) {
		content := []byte(d)
		if slices.Contains(gone, file) {
			content = []byte("half")
		}
		if err := memory.PutContent(t.Context(), file, content); err != nil {
			t.Fatal(err)
		}
	}
	store := &listing{StorageDriver: memory}
	if err := sweep(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(store.read, []string{cut}) {
		t.Errorf("it read %q", store.read)
	}
	for _, file := range slices.Concat(kept, gone) {
		_, err := memory.Stat(t.Context(), file)
		if is, want := err == nil, slices.Contains(kept, file); is != want {
			t.Errorf("%s: %v", file, err)
		}
	}
	if names, err := layout.Names(t.Context(), memory, path.Join(at(), layout.Uploads)); err != nil || len(names) > 0 {
		t.Errorf("left are %q: %v", names, err)
	}
}
