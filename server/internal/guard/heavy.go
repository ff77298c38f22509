package guard

import (
	"context"
	"io"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/heavy"
)

// inTurn has requests wait before the engine holds much of the store for them: it asks for nothing
// before it knows that the client may have it. What is listed for a client that has gone ends.
type inTurn struct {
	storagedriver.StorageDriver
}

func (d inTurn) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	reader, err := d.StorageDriver.Reader(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	return heavy.Reader(ctx, reader), nil
}

func (d inTurn) List(ctx context.Context, path string) ([]string, error) {
	if err := heavy.Enter(ctx); err != nil {
		return nil, err
	}
	return d.StorageDriver.List(ctx, path)
}

func (d inTurn) Walk(ctx context.Context, path string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	if err := heavy.Enter(ctx); err != nil {
		return err
	}
	return d.StorageDriver.Walk(ctx, path, func(info storagedriver.FileInfo) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return visit(info)
	}, options...)
}
