package gcs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"cloud.google.com/go/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"google.golang.org/api/iterator"

	"container-registry/server/internal/layout"
)

// driver is around the engine's.
type driver struct {
	storagedriver.StorageDriver
	bucket *storage.BucketHandle
	// root is "" or "folder/".
	root string
}

// key is the engine's name of the object at a path.
func (d driver) key(path string) string {
	return strings.TrimSpace(strings.TrimRight(d.root+strings.TrimLeft(path, "/"), "/"))
}

// Stat says what it could not find out. The engine's looks for a folder then, and says that nothing is there.
func (d driver) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	file := storagedriver.FileInfoFields{Path: path}
	key := d.key(path)
	if key != "" {
		object, err := d.bucket.Object(key).Attrs(ctx)
		if err == nil && object.ContentType == contentTypeOfSession {
			return nil, storagedriver.PathNotFoundError{Path: path}
		}
		if err == nil {
			file.Size, file.ModTime = object.Size, object.Updated
			return storagedriver.FileInfoInternal{FileInfoFields: file}, nil
		}
		if !errors.Is(err, storage.ErrObjectNotExist) {
			return nil, err
		}
	}
	_, err := d.bucket.Objects(ctx, &storage.Query{Prefix: key + "/"}).Next()
	if errors.Is(err, iterator.Done) {
		return nil, storagedriver.PathNotFoundError{Path: path}
	}
	if err != nil {
		return nil, err
	}
	file.IsDir = true
	return storagedriver.FileInfoInternal{FileInfoFields: file}, nil
}

// contentTypeOfSession is of the object that stands for an upload which is not at its end.
const contentTypeOfSession = "application/x-docker-upload-session"

// Walk asks by the Stat above. The engine's leaves out what it could not find out.
func (d driver) Walk(ctx context.Context, path string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	return storagedriver.WalkFallback(ctx, d, path, visit, options...)
}

func (d driver) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	w, err := d.StorageDriver.Writer(forUpload(ctx, d.key(path)), path, appendMode)
	if err != nil {
		return nil, err
	}
	return writer{w, d, path}, nil
}

type writer struct {
	storagedriver.FileWriter
	driver driver
	path   string
}

// Commit looks at what is there. The engine would take the object that stands for the upload for its bytes.
func (w writer) Commit(ctx context.Context) error {
	if err := w.FileWriter.Commit(ctx); err != nil {
		return err
	}
	info, err := w.driver.Stat(ctx, w.path)
	if err != nil && !layout.IsMissing(err) {
		return err
	}
	if err != nil || info.Size() != w.Size() {
		return fmt.Errorf("no answer of Google Cloud Storage: it said that it has %d bytes, and they are not there", w.Size())
	}
	return nil
}
