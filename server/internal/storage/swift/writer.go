package swift

import (
	"context"
	"crypto/md5"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	ncw "github.com/ncw/swift/v2"
)

// Writer implements storagedriver.StorageDriver. Appending goes on with an upload that was not committed, or with an
// empty file; a committed file with content can't be appended to.
func (d *driver) Writer(ctx context.Context, path string, appendTo bool) (storagedriver.FileWriter, error) {
	if appendTo {
		u, err := d.loadUpload(ctx, d.recordName(path))
		if err == nil {
			return d.newWriter(ctx, path, u), nil
		}
		if !isNotFound(err) {
			return nil, err
		}
		obj, err := d.head(ctx, d.fileName(path))
		if err != nil {
			return nil, notFound(path, err)
		}
		if obj.size > 0 {
			return nil, fmt.Errorf("%s is committed and not empty: it can't be appended to", path)
		}
	}
	u, err := d.createUpload(ctx, path)
	if err != nil {
		return nil, err
	}
	return d.newWriter(ctx, path, u), nil
}

// writer collects a segment while the previous one is sent: it needs two buffers of the segment's size at most,
// whatever the size of the file. Until Commit, readers see what was at the path before.
type writer struct {
	driver *driver
	path   string
	id     string // in the names of its segments
	upload *upload
	size   int64
	saved  int64 // size in the record, to continue from if the rest is lost

	ctx    context.Context // the one given to Writer: Write has none
	cancel context.CancelFunc

	buf     []byte    // not sent yet
	sum     hash.Hash // of buf, computed while the previous segment is sent
	spare   []byte    // the other buffer, when it is free
	whole   []byte    // all that was written, once it is committed without segments
	sending chan sent // the segment under way, nil when there is none

	err       error // of a segment; the writer can't be used any more
	closed    bool
	committed bool
	cancelled bool
}

// sent is the outcome of storing a segment.
type sent struct {
	segment segment
	buf     []byte // to be used again; nil if something may still read it
	err     error
}

// smallBuffer is the size up to which a writer's buffer grows step by step.
const smallBuffer = 256 << 10

// newBuffer is an empty buffer for one segment.
func (d *driver) newBuffer() []byte {
	if buf, ok := d.buffers.Get().(*[]byte); ok {
		return *buf
	}
	return make([]byte, 0, d.chunkSize)
}

// freeBuffer takes back a buffer that nothing reads any more.
func (d *driver) freeBuffer(buf []byte) {
	if cap(buf) == d.chunkSize {
		buf = buf[:0]
		d.buffers.Put(&buf)
	}
}

func (d *driver) newWriter(ctx context.Context, path string, u *upload) *writer {
	ctx, cancel := context.WithCancel(ctx)
	w := &writer{
		driver: d, path: path, id: rand.Text(), upload: u, size: u.size(), saved: u.size(),
		ctx: ctx, cancel: cancel, buf: u.tail, sum: md5.New(),
	}
	w.sum.Write(u.tail)
	return w
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	if err := w.usable(); err != nil {
		return 0, err
	}
	written := 0
	for len(p) > 0 {
		n := min(w.driver.chunkSize-len(w.buf), len(p))
		w.buf = append(w.roomFor(n), p[:n]...)
		w.sum.Write(p[:n])
		p = p[n:]
		written += n
		w.size += int64(n)
		if len(w.buf) == w.driver.chunkSize {
			if err := w.send(); err != nil {
				return written, err
			}
		}
	}
	return written, nil
}

// roomFor is the buffer with room for n more bytes: a small one while the file is small, and then one for a whole
// segment, which uploads reuse one after the other.
func (w *writer) roomFor(n int) []byte {
	need := len(w.buf) + n
	switch {
	case need <= cap(w.buf):
		return w.buf
	case need <= smallBuffer:
		return slices.Grow(w.buf, n)
	default:
		return append(w.driver.newBuffer(), w.buf...)
	}
}

func (w *writer) usable() error {
	switch {
	case w.cancelled:
		return errors.New("already cancelled")
	case w.committed:
		return errors.New("already committed")
	case w.closed:
		return errors.New("already closed")
	case w.err != nil:
		return w.err
	default:
		return w.ctx.Err()
	}
}

// send begins to store the buffer as a segment, once the previous segment is stored.
func (w *writer) send() error {
	if err := w.settle(); err != nil {
		return err
	}
	content := w.buf
	s := segment{Number: w.upload.next(), Size: int64(len(content)), ETag: hex.EncodeToString(w.sum.Sum(nil)), Writer: w.id}
	w.buf, w.spare = w.spare[:0], nil
	w.sum.Reset()
	// The channel has room for the outcome, so that the goroutine ends even if nobody waits for it any more.
	done := make(chan sent, 1)
	go func() {
		free, err := w.driver.putSegment(w.ctx, w.upload.ID, s, content)
		if !free {
			content = nil
		}
		done <- sent{s, content, err}
	}()
	w.sending = done
	return nil
}

// settle waits for the segment under way.
func (w *writer) settle() error {
	if w.sending == nil {
		return w.err
	}
	s := <-w.sending
	w.sending = nil
	if s.err != nil {
		w.err = s.err
		return s.err
	}
	w.upload.Segments = append(w.upload.Segments, s.segment)
	w.spare = s.buf[:0]
	return nil
}

// Size implements storagedriver.FileWriter.
func (w *writer) Size() int64 { return w.size }

// Identity identifies the bytes that are on record: the record names all of them by their checksums.
func (w *writer) Identity() string { return w.upload.etag }

// Close implements storagedriver.FileWriter. What was written can be appended to afterwards. If something went
// wrong or the context has ended, the record stays as it was, and Size tells the size to continue from.
func (w *writer) Close() error {
	if w.closed {
		return errors.New("already closed")
	}
	w.closed = true
	defer w.release()
	if w.committed || w.cancelled || w.size == w.saved {
		return nil
	}
	if err := w.save(); err != nil {
		w.size = w.saved
		return err
	}
	return nil
}

// save brings the record up to date.
func (w *writer) save() error {
	if err := w.settle(); err != nil {
		return err
	}
	if len(w.buf) >= w.driver.limits.segment {
		if err := w.send(); err != nil {
			return err
		}
		if err := w.settle(); err != nil {
			return err
		}
	}
	if err := w.driver.unchanged(w.ctx, w.path, w.upload); err != nil {
		return err
	}
	w.upload.tail = w.buf
	return w.driver.saveUpload(w.ctx, w.path, w.upload, ncw.Headers{})
}

// release frees what the writer holds.
func (w *writer) release() {
	w.cancel()
	w.driver.freeBuffer(w.buf)
	w.driver.freeBuffer(w.spare)
	w.buf, w.spare = nil, nil
}

// Cancel implements storagedriver.FileWriter. The engine calls it also after Commit, when the content is not what
// the client said, and when it could not move it; the committed file is removed then.
func (w *writer) Cancel(ctx context.Context) error {
	if w.cancelled {
		return errors.New("already cancelled")
	}
	w.cancelled = true
	w.cancel()
	if w.sending != nil {
		// A segment stored after the clean-up would stay.
		<-w.sending
		w.sending = nil
	}
	if w.committed {
		if err := w.driver.deleteUnmoved(ctx, w.path); err != nil && !isPathNotFound(err) {
			return err
		}
	}
	_, err := w.driver.discardUpload(ctx, w.driver.recordName(w.path))
	return err
}
