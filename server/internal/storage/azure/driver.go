package azure

import (
	"context"
	"io"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// Around wraps the engine's driver and corrects the answers that it gets.
func Around(engines storagedriver.StorageDriver) storagedriver.StorageDriver { return driver{engines} }

type driver struct{ storagedriver.StorageDriver }

func (d driver) GetContent(ctx context.Context, path string) ([]byte, error) {
	return d.StorageDriver.GetContent(d.corrected(ctx, path), path)
}

func (d driver) PutContent(ctx context.Context, path string, content []byte) error {
	return d.StorageDriver.PutContent(d.corrected(ctx, path), path, content)
}

func (d driver) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	return d.StorageDriver.Reader(d.corrected(ctx, path), path, offset)
}

// Writer passes its context to the driver's writer, which uses it for all that is appended.
func (d driver) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	own, err := d.StorageDriver.Writer(d.corrected(ctx, path), path, appendMode)
	if !layout.IsUpload(path) {
		return own, err
	}
	if err != nil {
		return nil, overtaken(err)
	}
	return writer{own}, nil
}

func (d driver) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	return d.StorageDriver.Stat(d.corrected(ctx, path), path)
}

func (d driver) List(ctx context.Context, path string) ([]string, error) {
	return d.StorageDriver.List(d.corrected(ctx, path), path)
}

// Move deletes the source once it has copied it: if there is nothing to delete then, it is done.
func (d driver) Move(ctx context.Context, from, to string) error {
	c := &corrections{driver: d.StorageDriver, path: from, gone: true}
	return d.StorageDriver.Move(c.in(ctx), from, to)
}

func (d driver) Delete(ctx context.Context, path string) error {
	return d.StorageDriver.Delete(d.corrected(ctx, path), path)
}

func (d driver) Walk(ctx context.Context, path string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	return d.StorageDriver.Walk(d.corrected(ctx, path), path, visit, options...)
}

func (d driver) corrected(ctx context.Context, path string) context.Context {
	return (&corrections{driver: d.StorageDriver, path: path}).in(ctx)
}
