package azure

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// writer writes to an upload. Its errors tell if another server of the container has continued or ended the upload.
type writer struct{ storagedriver.FileWriter }

func (w writer) Write(p []byte) (int, error) {
	n, err := w.FileWriter.Write(p)
	return n, overtaken(err)
}

func (w writer) Commit(ctx context.Context) error { return overtaken(w.FileWriter.Commit(ctx)) }

func (w writer) Close() error { return overtaken(w.FileWriter.Close()) }

func (w writer) Cancel(ctx context.Context) error { return overtaken(w.FileWriter.Cancel(ctx)) }

// overtaken adds layout.ErrOvertaken to an error that is due to another writer.
func overtaken(err error) error {
	if bloberror.HasCode(err, bloberror.BlobNotFound, bloberror.AppendPositionConditionNotMet, bloberror.ConditionNotMet,
		bloberror.InvalidBlobType) {
		return fmt.Errorf("%w: %w", layout.ErrOvertaken, err)
	}
	return err
}
