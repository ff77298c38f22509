package swift

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	ncw "github.com/ncw/swift/v2"
)

// maxMetaValue is the length of a metadata value that every cluster takes.
const maxMetaValue = 256

// Move implements storagedriver.StorageDriver with a copy on the server. Of a large object, only the manifest is
// copied.
func (d *driver) Move(ctx context.Context, sourcePath, destPath string) error {
	obj, err := d.head(ctx, d.fileName(sourcePath))
	if err != nil {
		return notFound(sourcePath, err)
	}
	if sourcePath == destPath {
		return nil
	}
	return d.move(ctx, sourcePath, obj, destPath)
}

func (d *driver) move(ctx context.Context, sourcePath string, obj *object, destPath string) error {
	source := d.fileName(sourcePath)
	if obj.slo {
		if err := d.mark(ctx, source, obj, destPath); err != nil {
			return notFound(sourcePath, err)
		}
	}
	err := d.replace(ctx, destPath, obj.segmentsID(), func() error {
		destination := url.URL{Path: d.client.container + "/" + d.fileName(destPath)}
		_, err := d.client.do(ctx, request{
			method: "COPY", object: source, query: url.Values{"multipart-manifest": {"get"}},
			headers: ncw.Headers{"Destination": destination.EscapedPath()},
		})
		return err
	})
	if err != nil {
		return notFound(sourcePath, err)
	}
	return d.deleteObject(ctx, source)
}

// deleteUnmoved deletes the file at a path unless a Move of it has begun. Swift goes on with a copy whose answer was
// lost, and does not look at the segments again before it puts the manifest at its destination. Such a file is left to
// the purge of old uploads: the engine does not delete an upload that could not be cancelled.
func (d *driver) deleteUnmoved(ctx context.Context, path string) error {
	obj, err := d.head(ctx, d.fileName(path))
	if err != nil {
		return notFound(path, err)
	}
	if obj.moving(path) {
		return fmt.Errorf("%s may still be moved to %s: it is left to the purge of uploads", path, obj.movedTo)
	}
	return d.deleteFile(ctx, path)
}

// mark records the destination on a large object. From the copy until the source is deleted, both have the same
// segments. If this process ends in between, deleting the source must leave them.
func (d *driver) mark(ctx context.Context, name string, obj *object, destPath string) error {
	if len(destPath) > maxMetaValue {
		return fmt.Errorf("can't move a large file to a path of more than %d bytes", maxMetaValue)
	}
	_, err := d.client.do(ctx, request{
		method: http.MethodPost, object: name,
		headers: ncw.Headers{uploadHeader: obj.upload, movedToHeader: destPath},
	})
	return err
}
