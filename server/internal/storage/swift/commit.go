package swift

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"container-registry/server/internal/layout"
)

// Commit implements storagedriver.FileWriter.
func (w *writer) Commit(ctx context.Context) error {
	if err := w.usable(); err != nil {
		return err
	}
	// Segments are sent with the writer's context; this one ends them too.
	stop := context.AfterFunc(ctx, w.cancel)
	defer stop()
	if err := w.settle(); err != nil {
		return err
	}
	err := w.join(ctx)
	w.whole, w.buf = w.buf, nil // a request that failed may still read it
	if err != nil {
		w.err = err
		return err
	}
	w.committed = true
	if err := w.driver.deleteObject(ctx, w.driver.recordName(w.path)); err != nil {
		return err
	}
	return nil
}

// join puts what was written at the writer's path.
func (w *writer) join(ctx context.Context) error {
	if len(w.upload.Segments) == 0 {
		return w.driver.putPlain(ctx, w.path, w.buf)
	}
	if len(w.buf) > 0 {
		if err := w.send(); err != nil {
			return err
		}
		if err := w.settle(); err != nil {
			return err
		}
	}
	other, err := w.driver.claim(ctx, w.upload.ID, w.id)
	if err == nil && other != nil {
		err = layout.ErrOvertaken
	}
	if err != nil {
		return err
	}
	if err := w.putClaimed(ctx); err != nil {
		// Its client may try again. A claim that can't be deleted is that of an upload that was left.
		return errors.Join(err, w.driver.unclaim(context.WithoutCancel(ctx), w.upload.ID, w.id))
	}
	return w.driver.joined(ctx, w.upload.ID, w.id)
}

// putClaimed also deletes what other writers have left. Nobody else's manifest names it.
func (w *writer) putClaimed(ctx context.Context) error {
	if err := w.driver.unchanged(ctx, w.path, w.upload); err != nil {
		return err
	}
	keep := map[string]bool{w.driver.claimName(w.upload.ID): true}
	for _, s := range w.upload.Segments {
		keep[w.driver.segmentName(w.upload.ID, s)] = true
	}
	if err := w.driver.sweep(ctx, w.upload.ID, keep); err != nil {
		return err
	}
	err := w.driver.putManifest(ctx, w.path, w.upload)
	if hasStatus(err, http.StatusBadRequest) {
		// Swift looks for the segments. Another server has discarded them, and its claim is gone.
		err = fmt.Errorf("%w: %w", layout.ErrOvertaken, err)
	}
	return err
}

// Move is of what was committed. Another server may have put something else there since: that stays. Segments are in the
// names of one upload; what has none is put at its place as it was written, as Swift copies whatever it finds.
func (w *writer) Move(ctx context.Context, from, to string) error {
	obj, err := w.driver.head(ctx, w.driver.fileName(from))
	segmented := len(w.upload.Segments) > 0
	switch {
	case isNotFound(err),
		err == nil && segmented && obj.upload != w.upload.ID,
		err == nil && !segmented && obj.etag != checksum(w.whole):
		return layout.ErrOvertaken
	case err != nil:
		return err
	case segmented:
		return w.driver.move(ctx, from, obj, to)
	}
	if err := w.driver.putPlain(ctx, to, w.whole); err != nil {
		return err
	}
	return w.driver.deleteObject(ctx, w.driver.fileName(from))
}

// unchanged says whether a record is the one that was read or written last.
func (d *driver) unchanged(ctx context.Context, path string, u *upload) error {
	obj, err := d.head(ctx, d.recordName(path))
	if isNotFound(err) || err == nil && obj.etag != u.etag {
		return layout.ErrOvertaken
	}
	return err
}

// untaken says whether a file is still to be written by its upload. Another writer may be comparing what is there with
// its digest.
func (d *driver) untaken(ctx context.Context, path string, mine func(*object) bool) error {
	if !layout.IsUpload(path) {
		return nil
	}
	obj, err := d.head(ctx, d.fileName(path))
	if isNotFound(err) || err == nil && (obj.size == 0 || mine(obj)) {
		return nil
	}
	if err == nil {
		err = layout.ErrOvertaken
	}
	return err
}
