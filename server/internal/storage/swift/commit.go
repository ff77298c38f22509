package swift

import (
	"context"
	"errors"
	"net/http"

	ncw "github.com/ncw/swift/v2"

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
	w.buf = nil // a request that failed may still read it
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
	if err := w.driver.claim(ctx, w.upload.ID, w.id); err != nil {
		return err
	}
	err := w.putClaimed(ctx)
	if err != nil {
		// Its client may try again. What can't be deleted is an upload that was left.
		err = errors.Join(err, w.driver.deleteObject(context.WithoutCancel(ctx), w.driver.claimName(w.upload.ID)))
	}
	return err
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
	return w.driver.putManifest(ctx, w.path, w.upload)
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

// claimName is among the segments of an upload, and goes with them.
func (d *driver) claimName(upload string) string { return d.segmentPrefix(upload) + "committed" }

// claim lets one writer join the segments of an upload: they are shared by all that went on from one record, and go
// with the blob they became.
func (d *driver) claim(ctx context.Context, upload, writer string) error {
	name, etag := d.claimName(upload), checksum([]byte(writer))
	_, err := d.client.do(ctx, request{
		method: http.MethodPut, object: name, body: []byte(writer),
		headers: ncw.Headers{"Content-Type": contentType, "Etag": etag, "If-None-Match": "*"},
	})
	if !hasStatus(err, http.StatusPreconditionFailed) {
		return err
	}
	// The answer to an attempt before may have been lost.
	obj, err := d.head(ctx, name)
	if err == nil && obj.etag != etag {
		err = layout.ErrOvertaken
	}
	return err
}
