package garbage

import (
	"context"
	"path"

	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/layout"
)

// removeUploads needs no pause: no client is told of an upload by the digest that it is to have.
func (r *run) removeUploads(ctx context.Context) error {
	for u, size := range r.todo.Needs.Inventory.CutOff {
		info, err := r.driver.Stat(ctx, u.Path())
		if layout.IsMissing(err) || err == nil && !inventory.IsCutOff(info) {
			// The client has ended it since, or goes on with it.
			continue
		}
		if err == nil {
			err = r.hold.Remove(ctx, path.Dir(u.Path()))
		}
		if err != nil {
			return err
		}
		r.countUpload(u, size)
	}
	return nil
}

// countUpload counts an upload that was deleted, or would be.
func (r *run) countUpload(u inventory.Upload, size int64) {
	r.report.Uploads++
	r.report.Bytes += size
	r.say("%s: upload of %d bytes to %s, which was cut off", r.report.verb(), size, u.Repository)
}
