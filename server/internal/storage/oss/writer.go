package oss

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// closeTimeout bounds the saving of an upload's state after its request is over.
const closeTimeout = time.Minute

// Writer starts an upload, or goes on with the one its last writer left. A
// finished object can be appended to only while it is empty.
func (d *driver) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	key := d.key(path)
	saved, err := d.loadRecord(ctx, key)
	if err != nil {
		return nil, err
	}
	w := &writer{ctx: ctx, d: d, key: key}
	if !appendMode {
		if saved != nil {
			if err := d.discard(ctx, key, saved.uploadID); err != nil {
				return nil, err
			}
		}
		return w, nil
	}
	if saved != nil {
		err := w.resume(saved)
		if err == nil {
			return w, nil
		}
		if !hasCode(err, "NoSuchUpload") {
			return nil, err
		}
		// Something else ended the upload, such as a lifecycle rule of the bucket.
		if err := d.deleteRecord(ctx, key); err != nil {
			return nil, err
		}
		w = &writer{ctx: ctx, d: d, key: key}
	}
	object, err := d.head(ctx, key)
	switch {
	case isMissing(err):
		return nil, storagedriver.PathNotFoundError{Path: path}
	case err != nil:
		return nil, err
	case object.ContentLength > 0:
		return nil, fmt.Errorf("cannot append to %s: it is complete and not empty", path)
	}
	return w, nil
}

// writer collects a chunk in memory and uploads it as a part when more follows.
// A blob that fits into one chunk becomes a plain object without any parts.
type writer struct {
	ctx context.Context
	d   *driver
	key string

	uploadID string
	parts    []part
	flushed  int64  // size of parts
	buf      []byte // what is not uploaded yet, at most a chunk

	// What the record in the bucket says, if recorded.
	recorded    bool
	savedUpload string
	savedOffset int64
	savedTail   int
	// identity identifies the bytes in the bucket.
	identity string

	// etag is the ETag of the object that Commit has made.
	etag string

	closed, committed, cancelled bool
}

// resume takes up the state that r describes.
func (w *writer) resume(r *record) error {
	w.recorded, w.savedUpload, w.savedOffset, w.savedTail = true, r.uploadID, r.offset, len(r.tail)
	w.uploadID = r.uploadID
	if r.uploadID != "" {
		parts, err := w.d.parts(w.ctx, w.key, r.uploadID)
		if err != nil {
			return err
		}
		for _, p := range parts {
			if w.flushed == r.offset && p.size == int64(len(r.tail)) && p.size < minPartSize {
				// A Commit that failed had uploaded the tail. It is too small
				// for a part that others follow, so it waits once more.
				break
			}
			w.parts = append(w.parts, p)
			w.flushed += p.size
		}
	}
	switch {
	case w.flushed < r.offset:
		return fmt.Errorf("the upload of %s has lost parts: %d bytes left of %d", w.key, w.flushed, r.offset)
	case w.flushed == r.offset:
		w.buf = r.tail
	}
	w.identify()
	return nil
}

func (w *writer) Size() int64 { return w.flushed + int64(len(w.buf)) }

func (w *writer) usable() error {
	switch {
	case w.committed:
		return errors.New("already committed")
	case w.cancelled:
		return errors.New("already cancelled")
	case w.closed:
		return errors.New("already closed")
	}
	return nil
}

func (w *writer) Write(p []byte) (int, error) {
	if err := w.usable(); err != nil {
		return 0, err
	}
	written := 0
	for written < len(p) {
		if len(w.buf) >= w.d.chunkSize {
			if err := w.flush(w.ctx); err != nil {
				return written, err
			}
		}
		n := min(len(p)-written, w.d.chunkSize-len(w.buf))
		w.grow(n)
		w.buf = append(w.buf, p[written:written+n]...)
		written += n
	}
	return written, nil
}

// grow makes room for n more bytes: little for a small blob, and never more
// than a chunk.
func (w *writer) grow(n int) {
	need := len(w.buf) + n
	if need <= cap(w.buf) {
		return
	}
	grown := make([]byte, len(w.buf), min(max(need, 4*cap(w.buf)), w.d.chunkSize))
	copy(grown, w.buf)
	w.buf = grown
}

// flush uploads the buffer as the next part.
func (w *writer) flush(ctx context.Context) error {
	if w.uploadID == "" {
		if err := w.begin(ctx); err != nil {
			return err
		}
	}
	next := int32(1)
	if len(w.parts) > 0 {
		next = w.parts[len(w.parts)-1].number + 1
	}
	if next > maxParts {
		return fmt.Errorf("%s is larger than %d parts of %d bytes: raise chunksize", w.key, maxParts, w.d.chunkSize)
	}
	result, err := w.d.client.UploadPart(ctx, &oss.UploadPartRequest{
		Bucket: &w.d.bucket, Key: &w.key, UploadId: &w.uploadID, PartNumber: next, Body: bytes.NewReader(w.buf),
	})
	if err != nil {
		return overtaken(failed(ctx, "UploadPart", w.key, err))
	}
	size := int64(len(w.buf))
	w.parts = append(w.parts, part{next, oss.ToString(result.ETag), size, oss.ToString(result.HashCRC64)})
	w.flushed += size
	w.buf = w.buf[:0]
	return nil
}

// begin starts the multipart upload and puts its ID on record at once, so that
// a later process finds the parts even if this one never gets to Close.
func (w *writer) begin(ctx context.Context) error {
	if err := w.unchanged(ctx); err != nil {
		return err
	}
	uploadID, err := w.d.initiate(ctx, w.key)
	if err != nil {
		return err
	}
	w.uploadID = uploadID
	// The tail that is on record already stays there until a part holds it.
	return w.save(ctx, w.savedTail)
}

// save records the upload and the first tail bytes of the buffer.
func (w *writer) save(ctx context.Context, tail int) error {
	if err := w.d.saveRecord(ctx, w.key, record{w.uploadID, w.flushed, w.buf[:tail]}); err != nil {
		return err
	}
	w.recorded, w.savedUpload, w.savedOffset, w.savedTail = true, w.uploadID, w.flushed, tail
	return nil
}

// Close keeps what was written for the next writer, unless the upload is over.
// It does so even if the request is: a client that went away may come back.
func (w *writer) Close() error {
	if w.closed {
		return errors.New("already closed")
	}
	w.closed = true
	if w.committed || w.cancelled {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), closeTimeout)
	defer cancel()
	if err := w.persist(ctx); err != nil {
		return err
	}
	w.identify()
	// Size goes on to count the tail that is now on record.
	w.flushed, w.buf = w.Size(), nil
	return nil
}

// persist brings all of the upload into the bucket.
func (w *writer) persist(ctx context.Context) error {
	if err := w.unchanged(ctx); err != nil {
		return err
	}
	// A buffer that is large enough becomes a part, which need not be read
	// back. Half of the part numbers are kept for parts of full size.
	if int64(len(w.buf)) >= minPartSize && len(w.parts) < maxParts/2 {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	tailSaved := len(w.buf) == 0 || w.flushed == w.savedOffset && len(w.buf) == w.savedTail
	if w.recorded && tailSaved {
		return nil
	}
	return w.save(ctx, len(w.buf))
}
