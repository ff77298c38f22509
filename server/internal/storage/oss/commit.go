package oss

import (
	"context"
)

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
		if err := w.d.put(ctx, w.key, w.buf, nil); err != nil {
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
	err := w.d.complete(ctx, w.key, w.uploadID, w.parts, w.flushed)
	if err != nil && len(tail) > 0 && int64(len(tail)) < minPartSize {
		// More may be written after all, and no part may follow this one.
		w.parts = w.parts[:len(w.parts)-1]
		w.flushed -= int64(len(tail))
		w.buf = tail
	}
	return err
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
