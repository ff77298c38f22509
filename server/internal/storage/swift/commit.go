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

// join stores what was written as the file at the writer's path.
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
		// The client may try again. A claim that can't be deleted is treated like that of an abandoned upload.
		return errors.Join(err, w.driver.unclaim(context.WithoutCancel(ctx), w.upload.ID, w.id))
	}
	return w.driver.joined(ctx, w.upload.ID, w.id)
}

// putClaimed writes the manifest of claimed segments. Before that, it deletes the segments that other writers have
// left: no other manifest names them.
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
		// Swift checks the segments. Another server has discarded them, and the claim with them.
		err = fmt.Errorf("%w: %w", layout.ErrOvertaken, err)
	}
	return err
}

// Move moves what was committed. If another server has put something else there since, Move leaves it alone. A file
// with segments is recognised by its upload. A file without is written to its destination anew, because a copy on the
// server would take whatever Swift finds.
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

// unchanged fails if a record is not the one that was read or written last.
func (d *driver) unchanged(ctx context.Context, path string, u *upload) error {
	obj, err := d.head(ctx, d.recordName(path))
	if isNotFound(err) || err == nil && obj.etag != u.etag {
		return layout.ErrOvertaken
	}
	return err
}

// untaken fails if another writer has already written the file of an upload: it may be comparing the file with its
// digest.
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
