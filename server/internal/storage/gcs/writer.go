package gcs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"cloud.google.com/go/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// What the object of a session says of it, in the words of the engine's driver.
const (
	uriOfSession    = "Session-URI"
	offsetOfSession = "Offset"
)

// Writer implements storagedriver.StorageDriver. Appending goes on with an upload that was not
// committed, or with a file of a chunk at most, as one whose upload broke off at its very end.
func (d *driver) Writer(ctx context.Context, path string, appendTo bool) (storagedriver.FileWriter, error) {
	w := &writer{driver: d, ctx: ctx, path: path, session: session{client: d.client}}
	if appendTo {
		if err := w.resume(); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// writer collects a chunk at a time. What fits into one is put there as it is.
type writer struct {
	driver  *driver
	ctx     context.Context // the one given to Writer: Write has none
	path    string
	session session
	buf     []byte // not sent yet
	size    int64
	closed  bool
}

func (w *writer) resume() error {
	object, err := w.driver.object(w.path).Attrs(w.ctx)
	if err != nil {
		return missing(w.path, err)
	}
	if object.Size > int64(w.driver.chunkSize) {
		return fmt.Errorf("%s is committed and larger than a chunk: it can't be appended to", w.path)
	}
	if offset := object.Metadata[offsetOfSession]; object.ContentType == sessionType && offset != "" {
		if w.session.offset, err = strconv.ParseInt(offset, 10, 64); err != nil {
			return err
		}
		w.session.uri = object.Metadata[uriOfSession]
	}
	r, err := w.driver.object(w.path).NewReader(w.ctx)
	if err != nil {
		return missing(w.path, err)
	}
	defer r.Close()
	w.buf, err = io.ReadAll(r)
	w.size = w.session.offset + int64(len(w.buf))
	return err
}

func (w *writer) Write(p []byte) (int, error) {
	if w.closed {
		return 0, errors.New("already closed")
	}
	chunk, written := w.driver.chunkSize, 0
	for written < len(p) {
		if cap(w.buf) < chunk {
			w.buf = append(make([]byte, 0, chunk), w.buf...)
		}
		n := min(chunk-len(w.buf), len(p)-written)
		w.buf = append(w.buf, p[written:written+n]...)
		written += n
		w.size += int64(n)
		if len(w.buf) == chunk {
			if err := w.flush(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// flush sends what is enough for a request of a session.
func (w *writer) flush() error {
	n := len(w.buf) / step * step
	if n == 0 {
		return nil
	}
	if w.session.uri == "" {
		if err := w.session.begin(w.ctx, w.driver.bucket.BucketName(), w.driver.key(w.path)); err != nil {
			return err
		}
	}
	if err := w.session.send(w.ctx, w.buf[:n], false); err != nil {
		return err
	}
	w.buf = w.buf[:copy(w.buf, w.buf[n:])]
	return nil
}

func (w *writer) Size() int64 { return w.size }

// Close leaves an upload that is not committed for another writer.
func (w *writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	if err := w.flush(); err != nil {
		return err
	}
	return w.driver.put(w.ctx, w.path, w.buf, sessionType, map[string]string{
		uriOfSession:    w.session.uri,
		offsetOfSession: strconv.FormatInt(w.session.offset, 10),
	})
}

// Commit makes the object out of what was written, and looks at what is there.
func (w *writer) Commit(ctx context.Context) error {
	if w.closed {
		return errors.New("already closed")
	}
	w.closed = true
	var err error
	if w.session.uri == "" {
		err = w.driver.put(ctx, w.path, w.buf, contentType, nil)
	} else {
		err = w.session.send(ctx, w.buf, true)
	}
	if err != nil {
		return err
	}
	object, err := w.driver.object(w.path).Attrs(ctx)
	if err != nil && !errors.Is(err, storage.ErrObjectNotExist) {
		return err
	}
	if err != nil || object.ContentType == sessionType || object.Size != w.size {
		return fmt.Errorf("no answer of Google Cloud Storage: it said that it has %d bytes, and they are not there", w.size)
	}
	return nil
}

// Cancel removes what is at the path. Google forgets the session.
func (w *writer) Cancel(ctx context.Context) error {
	w.closed = true
	return w.driver.remove(ctx, w.driver.key(w.path))
}
