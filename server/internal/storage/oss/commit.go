package oss

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
)

// metaSHA256 is the metadata of a plain object that has the SHA-256 of its bytes.
const metaSHA256 = "sha256"

// Commit makes the object out of what was written.
func (w *writer) Commit(ctx context.Context) error {
	if err := w.usable(); err != nil {
		return err
	}
	if err := w.finish(ctx); err != nil {
		return err
	}
	w.committed = true
	w.flushed, w.buf, w.uploadID = w.Size(), nil, ""
	if !w.recorded {
		return nil
	}
	if err := w.d.deleteRecord(ctx, w.key); err != nil {
		return err
	}
	w.recorded = false
	return nil
}

func (w *writer) finish(ctx context.Context) error {
	if len(w.parts) == 0 {
		if err := w.unchanged(ctx); err != nil {
			return err
		}
		if err := w.putWhole(ctx); err != nil {
			return err
		}
		if w.uploadID != "" {
			return w.d.abort(ctx, w.key, w.uploadID)
		}
		return nil
	}
	tail := w.buf
	if len(tail) > 0 {
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	etag, err := w.d.complete(ctx, w.key, w.uploadID, w.parts, func(object *oss.HeadObjectResult) bool {
		// Another server may have made an object of the same upload, with parts of the same size.
		crc := crcOf(w.parts)
		return crc != "" && crc == oss.ToString(object.HashCRC64) && object.ContentLength == w.flushed
	})
	w.etag = etag
	if err != nil && len(tail) > 0 && int64(len(tail)) < minPartSize {
		// More may be written after all, and no part may follow this one.
		w.parts = w.parts[:len(w.parts)-1]
		w.flushed -= int64(len(tail))
		w.buf = tail
	}
	return overtaken(err)
}

// putWhole makes the object from the buffer. If the upload is on record, the object must not replace another one: this
// request may be held up until another server has made an object there and compared it with its digest.
func (w *writer) putWhole(ctx context.Context) error {
	sum := sha256.Sum256(w.buf)
	hash := hex.EncodeToString(sum[:])
	request := &oss.PutObjectRequest{Key: &w.key, Metadata: map[string]string{metaSHA256: hash}, Body: bytes.NewReader(w.buf)}
	if w.recorded {
		request.ForbidOverwrite = oss.Ptr("true")
	}
	etag, err := w.d.put(ctx, request)
	if hasCode(err, "FileAlreadyExists") {
		etag, err = w.d.madeBefore(ctx, w.key, err, func(object *oss.HeadObjectResult) bool {
			return object.Metadata[metaSHA256] == hash
		})
	}
	w.etag = etag
	return overtaken(err)
}

// Cancel removes everything the writer wrote, the finished object included: a
// registry cancels after Commit when the content is not what was announced.
func (w *writer) Cancel(ctx context.Context) error {
	if w.cancelled {
		return nil
	}
	if w.committed {
		if err := w.d.deleteObject(ctx, w.key); err != nil {
			return err
		}
	}
	if w.uploadID != "" || w.recorded {
		if err := w.d.discard(ctx, w.key, w.uploadID); err != nil {
			return err
		}
	}
	w.cancelled = true
	w.flushed, w.buf = 0, nil
	return nil
}
