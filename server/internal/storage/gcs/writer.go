package gcs

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"

	"cloud.google.com/go/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"google.golang.org/api/googleapi"

	"container-registry/server/internal/layout"
)

// Writer implements storagedriver.StorageDriver. Appending continues an upload that was not
// committed, or a file of one chunk at most, such as one whose upload broke off at its very end.
func (d *driver) Writer(ctx context.Context, path string, appendTo bool) (storagedriver.FileWriter, error) {
	w := &writer{driver: d, ctx: ctx, path: path, session: session{client: d.client, sum: md5.New()}}
	if appendTo {
		if err := w.resume(); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// writer collects a chunk at a time. A file that fits into one chunk is written with one request.
//
// Other servers may write to the same upload. An object that the writer puts may replace only the object that the
// writer continues from. The end of a session can't have such a condition: it would have to be set when the session
// begins, and each later request leaves another object. So the writer looks at the object afterwards, and Move moves it
// only if it is still the same.
type writer struct {
	driver  *driver
	ctx     context.Context // the one given to Writer: Write has none
	path    string
	session session
	buf     []byte // not sent yet
	size    int64
	closed  bool
	// generation is that of the object that the writer continues from, or has committed. 0 means that there is none.
	generation int64
}

// object is the object at the writer's path. For an upload, requests for it fail unless it is the generation that the
// writer knows.
func (w *writer) object() *storage.ObjectHandle {
	object := w.driver.object(w.path)
	if !layout.IsUpload(w.path) {
		return object
	}
	// The client would retry a request with a condition forever.
	return object.Retryer(storage.WithPolicy(storage.RetryNever)).
		If(storage.Conditions{GenerationMatch: w.generation, DoesNotExist: w.generation == 0})
}

func (w *writer) resume() error {
	object, err := w.driver.object(w.path).Attrs(w.ctx)
	if err != nil {
		return missing(w.path, err)
	}
	if object.Size > int64(w.driver.chunkSize) {
		return fmt.Errorf("%s is committed and larger than a chunk: it can't be appended to", w.path)
	}
	w.generation = object.Generation
	if object.ContentType == sessionType && object.Metadata[offsetOfSession] != "" {
		if err := w.session.resume(object.Metadata); err != nil {
			return err
		}
	}
	r, err := w.driver.object(w.path).Generation(w.generation).NewReader(w.ctx)
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

// flush sends as much of the buffer as a request of a session may have.
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
		return w.overtaken(err)
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
	record, err := w.session.record()
	if err != nil {
		return err
	}
	want := whole(sessionType, w.buf, record)
	if err := put(w.ctx, w.object(), w.buf, want); !isReplaced(err) {
		return err
	}
	return w.look(w.ctx, want)
}

// Commit makes the object out of what was written, and checks it.
func (w *writer) Commit(ctx context.Context) error {
	if w.closed {
		return errors.New("already closed")
	}
	w.closed = true
	var want *storage.ObjectAttrs
	var err error
	if w.session.uri == "" {
		want = whole(contentType, w.buf, nil)
		err = put(ctx, w.object(), w.buf, want)
	} else {
		err = w.session.send(ctx, w.buf, true)
		want = &storage.ObjectAttrs{ContentType: contentType, Size: w.size}
		if w.session.sum != nil {
			want.MD5 = w.session.sum.Sum(nil)
		}
	}
	if err != nil && !isReplaced(err) {
		return w.overtaken(err)
	}
	return w.look(ctx, want)
}

// look checks whether the object at the path is the one that the writer has put there. It may be even if the put was
// refused: an earlier try may have succeeded, and its answer was lost.
func (w *writer) look(ctx context.Context, want *storage.ObjectAttrs) error {
	object, err := w.driver.object(w.path).Attrs(ctx)
	switch {
	case err != nil && !errors.Is(err, storage.ErrObjectNotExist):
		return err
	case err == nil && object.ContentType == want.ContentType && object.Size == want.Size &&
		(want.MD5 == nil || bytes.Equal(object.MD5, want.MD5)) && maps.Equal(object.Metadata, want.Metadata):
		w.generation = object.Generation
		return nil
	case layout.IsUpload(w.path):
		return layout.ErrOvertaken
	default:
		return fmt.Errorf("no answer of Google Cloud Storage: it said that it has %d bytes, and they are not there", want.Size)
	}
}

// Move moves only what was committed.
func (w *writer) Move(ctx context.Context, _, to string) error {
	return w.overtaken(w.driver.move(ctx, w.object(), to))
}

// overtaken adds layout.ErrOvertaken to an error that is due to another writer.
func (w *writer) overtaken(err error) error {
	if layout.IsUpload(w.path) && (isReplaced(err) || errors.Is(err, errEnded)) {
		return fmt.Errorf("%w: %w", layout.ErrOvertaken, err)
	}
	return err
}

// isReplaced says whether Google has another object than the one that was asked for.
func isReplaced(err error) bool {
	var status *googleapi.Error
	return errors.As(err, &status) && status.Code == http.StatusPreconditionFailed
}

// Cancel removes what is at the path. Google forgets the session.
func (w *writer) Cancel(ctx context.Context) error {
	w.closed = true
	return remove(ctx, w.driver.object(w.path))
}
