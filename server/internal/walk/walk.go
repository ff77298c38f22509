// Package walk visits everything in a folder of a store, as fast as its driver allows.
package walk

import (
	"context"
	"errors"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/traits"
)

// Visit is called with a path relative to where the walk began.
type Visit func(relative string, info storagedriver.FileInfo) error

// Lister is a driver that lists all files below a folder, thousands with one request.
type Lister interface {
	Files(ctx context.Context, folder string, visit func(storagedriver.FileInfo) error) error
}

// Below visits everything below a folder that is there from the beginning to the end of the walk.
// A folder that does not exist has nothing below it. In stores where folders are only parts of names,
// folders are not always visited. As many files as there are workers, 1 or more, may be visited at a
// time. The first error ends the walk.
func Below(ctx context.Context, driver storagedriver.StorageDriver, folder string, workers int, do Visit) error {
	if lister, ok := driver.(Lister); ok {
		return lister.Files(ctx, folder, func(info storagedriver.FileInfo) error {
			return do(strings.TrimPrefix(info.Path(), folder+"/"), info)
		})
	}
	if !traits.Of[driver.Name()].ListsAll {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(workers)
		w := &walker{layout.Sure(driver), do, group, folder}
		group.Go(func() error { return w.folder(ctx, folder) })
		return group.Wait()
	}
	err := driver.Walk(ctx, folder, func(info storagedriver.FileInfo) error {
		return do(strings.TrimPrefix(info.Path(), folder+"/"), info)
	})
	if layout.IsMissing(err) {
		names, err := layout.Names(ctx, driver, folder)
		if err == nil && len(names) > 0 {
			err = errors.New(folder + " changed while it was listed")
		}
		return err
	}
	return err
}

// walker looks into several folders at a time.
type walker struct {
	driver storagedriver.StorageDriver
	do     Visit
	group  *errgroup.Group
	root   string
}

func (w *walker) folder(ctx context.Context, folder string) error {
	names, err := layout.Names(ctx, w.driver, folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		// A folder's driver does not look at the context.
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		below := path.Join(folder, name)
		info, err := w.look(ctx, below)
		if layout.IsMissing(err) {
			continue
		}
		if err != nil {
			return err
		}
		err = w.do(strings.TrimPrefix(below, w.root+"/"), info)
		if errors.Is(err, storagedriver.ErrSkipDir) || err == nil && !info.IsDir() {
			continue
		}
		if err != nil {
			return err
		}
		if !w.group.TryGo(func() error { return w.folder(ctx, below) }) {
			if err := w.folder(ctx, below); err != nil {
				return err
			}
		}
	}
	return nil
}

// look asks the store only about names that a blob or link may have. Everything else is a folder, or has
// no entries.
func (w *walker) look(ctx context.Context, below string) (storagedriver.FileInfo, error) {
	if layout.IsFile(path.Base(below)) {
		return w.driver.Stat(ctx, below)
	}
	return storagedriver.FileInfoInternal{FileInfoFields: storagedriver.FileInfoFields{Path: below, IsDir: true}}, nil
}

// Blobs visits the bytes of all blobs of a store as Below does.
func Blobs(ctx context.Context, driver storagedriver.StorageDriver, workers int, do func(d digest.Digest, info storagedriver.FileInfo) error) error {
	return Below(ctx, driver, layout.Blobs, workers, func(relative string, info storagedriver.FileInfo) error {
		if d, ok := layout.BlobOf(path.Join(layout.Blobs, relative)); ok && !info.IsDir() {
			return do(d, info)
		}
		return nil
	})
}
