package garbage

import (
	"context"
	"path"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// upload is what a client has sent of a blob that is not one yet.
type upload struct{ repository, name string }

// path is where its bytes are.
func (u upload) path() string { return layout.UploadPath(u.repository, u.name) }

// addUpload is for files and folders in one of the folders of uploads. Other stores than a folder
// show nothing of what is sent before its end: there the engine alone takes what is a week old, as
// it does of uploads without a byte.
func (i *inventory) addUpload(repository string, parts []string, info storagedriver.FileInfo) error {
	if i.driver.Name() != "filesystem" {
		if info.IsDir() {
			return storagedriver.ErrSkipDir
		}
		return nil
	}
	if len(parts) == 2 && !info.IsDir() && layout.IsUpload(info.Path()) && isCutOff(info) {
		i.cutOff[upload{repository, parts[0]}] = info.Size()
	}
	return nil
}

func isCutOff(info storagedriver.FileInfo) bool { return time.Since(info.ModTime()) > abandonment }

// removeUploads needs no pause: nobody is told of an upload by what it is to become.
func (r *run) removeUploads(ctx context.Context) error {
	for u, size := range r.todo.needs.inventory.cutOff {
		info, err := r.driver.Stat(ctx, u.path())
		if layout.IsMissing(err) || err == nil && !isCutOff(info) {
			// Somebody ended it meanwhile, or goes on with it.
			continue
		}
		if err == nil {
			err = r.hold.Remove(ctx, path.Dir(u.path()))
		}
		if err != nil {
			return err
		}
		r.countUpload(u, size)
	}
	return nil
}

// countUpload is for one that was deleted, or would be.
func (r *run) countUpload(u upload, size int64) {
	r.report.Uploads++
	r.report.Bytes += size
	r.say("%s: upload of %d bytes to %s, which was cut off", r.report.verb(), size, u.repository)
}
