package garbage

import (
	"context"
	"path"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

type uploadKey struct{ repository, name string }

// path is where its bytes are.
func (k uploadKey) path() string { return layout.UploadPath(k.repository, k.name) }

// upload is what a client has sent of a blob that is not one yet.
type upload struct {
	size    int64
	written time.Time
}

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
	if len(parts) == 2 && !info.IsDir() && layout.IsUpload(info.Path()) {
		i.uploads[uploadKey{repository, parts[0]}] = upload{info.Size(), info.ModTime()}
	}
	return nil
}

// cutOff are the uploads that nobody went on with for long.
func (i *inventory) cutOff(now time.Time) map[uploadKey]upload {
	found := map[uploadKey]upload{}
	for key, u := range i.uploads {
		if now.Sub(u.written) > abandonment {
			found[key] = u
		}
	}
	return found
}

// removeUploads needs no pause: nobody is told of an upload by what it is to become.
func (r *run) removeUploads(ctx context.Context) error {
	for key, u := range r.todo.cutOff {
		info, err := r.driver.Stat(ctx, key.path())
		if layout.IsMissing(err) || err == nil && time.Since(info.ModTime()) < abandonment {
			// Somebody ended it meanwhile, or goes on with it.
			continue
		}
		if err == nil {
			err = r.hold.Remove(ctx, path.Dir(key.path()))
		}
		if err != nil {
			return err
		}
		r.countUpload(key, u)
	}
	return nil
}

// countUpload is for one that was deleted, or would be.
func (r *run) countUpload(key uploadKey, u upload) {
	r.report.Uploads++
	r.report.Bytes += u.size
	r.say("%s: upload of %d bytes to %s, which was cut off", r.report.verb(), u.size, key.repository)
}
