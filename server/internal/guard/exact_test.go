package guard

import (
	"context"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/layout"
)

// careless is a store without folders, as careless as all of them together: deletions find
// everything, walks go everywhere.
type careless struct{ storagedriver.StorageDriver }

func (c careless) Stat(ctx context.Context, name string) (storagedriver.FileInfo, error) {
	info, err := c.StorageDriver.Stat(ctx, name)
	if layout.IsMissing(err) {
		return storagedriver.FileInfoInternal{FileInfoFields: storagedriver.FileInfoFields{Path: name, IsDir: true}}, nil
	}
	return info, err
}

func (c careless) List(ctx context.Context, folder string) ([]string, error) {
	names, err := c.StorageDriver.List(ctx, folder)
	if err == nil && len(names) == 0 {
		return nil, storagedriver.PathNotFoundError{Path: folder}
	}
	return names, err
}

func (c careless) Delete(ctx context.Context, name string) error {
	if err := c.StorageDriver.Delete(ctx, name); !layout.IsMissing(err) {
		return err
	}
	return nil
}

func (c careless) Walk(ctx context.Context, folder string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	if err := c.StorageDriver.Walk(ctx, folder, visit, options...); !layout.IsMissing(err) {
		return err
	}
	return nil
}

func TestExact(t *testing.T) {
	ctx := t.Context()
	d := exact{careless{inmemory.New()}}
	put := func(name string) {
		t.Helper()
		if err := d.PutContent(ctx, name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	tags, other := layout.RepositoryPath("app", layout.Tags), layout.RepositoryPath("ap", layout.Tags)
	put(tags + "/0.1.2/current/link")
	put(layout.RepositoryPath("app", layout.Revisions) + "/sha256/x/link")

	lists := map[string]func(folder string) (int, error){
		"list": func(folder string) (int, error) {
			names, err := d.List(ctx, folder)
			return len(names), err
		},
		"walk": func(folder string) (int, error) {
			n := 0
			err := d.Walk(ctx, folder, func(info storagedriver.FileInfo) error {
				n++
				return storagedriver.ErrSkipDir
			})
			return n, err
		},
	}
	expect := func(when string, want int) {
		t.Helper()
		for name, list := range lists {
			if got, err := list(tags); got != want || err != nil {
				t.Errorf("%s, %s: %d, %v", when, name, got, err)
			}
			if _, err := list(other); !layout.IsMissing(err) {
				t.Errorf("%s, %s of no repository: %v", when, name, err)
			}
		}
	}
	expect("one tag", 1)
	for _, absent := range []string{tags + "/0.1", tags + "/0.1.2/current/none", other} {
		if err := d.Delete(ctx, absent); !layout.IsMissing(err) {
			t.Errorf("deletion of %s: %v", absent, err)
		}
	}
	if err := d.Delete(ctx, tags+"/0.1.2"); err != nil {
		t.Error(err)
	}
	expect("no tag", 0)
}
