package guard

import (
	"context"
	"path"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// exact tells what is there from what is not where drivers differ.
//
// Deleting: S3's takes what only begins with the path for found, and Google's fails
// otherwise than by the error for what is missing.
//
// Tags: stores without folders forget the one of a repository whose last tag was deleted,
// and S3's walks through any folder that isn't there. A repository with manifests has a
// list of tags, if only an empty one.
type exact struct {
	storagedriver.StorageDriver
}

func (d exact) Delete(ctx context.Context, name string) error {
	info, err := d.Stat(ctx, name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		if _, err := d.StorageDriver.List(ctx, name); err != nil {
			return err
		}
	}
	return d.StorageDriver.Delete(ctx, name)
}

func (d exact) List(ctx context.Context, folder string) ([]string, error) {
	names, err := d.StorageDriver.List(ctx, folder)
	if len(names) == 0 && (err == nil || layout.IsMissing(err)) {
		err = d.empty(ctx, folder, err)
	}
	return names, err
}

func (d exact) Walk(ctx context.Context, folder string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	visited := false
	err := d.StorageDriver.Walk(ctx, folder, func(info storagedriver.FileInfo) error {
		visited = true
		return visit(info)
	}, options...)
	if !visited && (err == nil || layout.IsMissing(err)) {
		err = d.empty(ctx, folder, err)
	}
	return err
}

// empty is the outcome for a folder with nothing in it; the driver's was err.
func (d exact) empty(ctx context.Context, folder string, err error) error {
	if !layout.IsTags(folder) {
		return err
	}
	_, err = d.StorageDriver.List(ctx, path.Dir(folder))
	if layout.IsMissing(err) {
		return storagedriver.PathNotFoundError{Path: folder}
	}
	return err
}
