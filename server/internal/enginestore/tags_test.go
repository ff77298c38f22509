package enginestore_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/registrytest"
)

// byKey walks as S3 does: in the order of objects' names, in which a slash sorts after a dot.
type byKey struct{ storagedriver.StorageDriver }

func (d byKey) Walk(ctx context.Context, folder string, visit storagedriver.WalkFn, _ ...func(*storagedriver.WalkOptions)) error {
	var files []storagedriver.FileInfo
	err := d.StorageDriver.Walk(ctx, folder, func(info storagedriver.FileInfo) error {
		files = append(files, info)
		return nil
	})
	if err != nil {
		return err
	}
	key := func(info storagedriver.FileInfo) string {
		if info.IsDir() {
			return info.Path() + "/"
		}
		return info.Path()
	}
	slices.SortFunc(files, func(a, b storagedriver.FileInfo) int { return strings.Compare(key(a), key(b)) })
	skipped := "//"
	for _, info := range files {
		if strings.HasPrefix(info.Path(), skipped) {
			continue
		}
		switch err := visit(info); err {
		case nil:
		case storagedriver.ErrSkipDir:
			skipped = info.Path() + "/"
		case storagedriver.ErrFilledBuffer:
			return nil
		default:
			return err
		}
	}
	return nil
}

// TestPagesOfTags expects all tags in sorted order, whatever the store's order is, and even if tags are
// named like folders of a store.
func TestPagesOfTags(t *testing.T) {
	for name, test := range map[string]struct {
		store storagedriver.StorageDriver
		tags  []string
	}{
		"named as folders": {
			filesystem.New(filesystem.DriverParameters{RootDirectory: t.TempDir(), MaxThreads: 100}),
			[]string{"_layers", "_manifests", "_referrers", "_uploads", "current", "data", "index", "link"},
		},
		"beginning with others": {byKey{inmemory.New()}, []string{"1", "1.2", "1.2.3", "1.2.3-alpine", "1.2.4", "1.3", "2"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := registrytest.Config(t, test.store)
			enginestore.Use(config)
			client := registrytest.Serve(t, config)
			for _, tag := range test.tags {
				client.Push(t, "app", tag, registrytest.Layer(1, 100))
			}
			for n := 1; n <= len(test.tags)+1; n++ {
				if got, _ := allPages(t, client.URL+"/v2/app/tags/list", n); !slices.Equal(got, test.tags) {
					t.Errorf("%d at a time: %q", n, got)
				}
			}
		})
	}
}
