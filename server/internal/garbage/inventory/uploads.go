package inventory

import (
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/traits"
)

// Upload is what a client has sent of a blob that is not complete yet.
type Upload struct{ Repository, Name string }

// Path is the file of its bytes.
func (u Upload) Path() string { return layout.UploadPath(u.Repository, u.Name) }

// addUpload is for files and folders in a repository's folder of uploads. Most stores other than a folder
// show an upload's bytes only after the client has continued it, and between the end of the upload and the
// move to a blob, where it may be cut off. Uploads without bytes are left to the engine, which deletes those
// that are a week old. When a client continues an upload, the stores that list all files put together what
// it sent before, and write the rest elsewhere, so that the bytes look old.
func (i *Inventory) addUpload(repository string, parts []string, info storagedriver.FileInfo) error {
	if len(parts) == 2 && info.IsDir() && !traits.Of[i.driver.Name()].ListsAll {
		// The engine's notes in this folder are not bytes, and would cost a listing of their own.
		return storagedriver.ErrSkipDir
	}
	switch {
	case len(parts) == 2 && layout.IsUpload(info.Path()) && IsCutOff(info):
		i.CutOff[Upload{repository, parts[0]}] = info.Size()
	case len(parts) > 2 && !info.IsDir() && !IsCutOff(info):
		// The engine notes each time how far the client has come.
		delete(i.CutOff, Upload{repository, parts[0]})
	}
	return nil
}

// IsCutOff says whether nobody has gone on with an upload for a long time.
func IsCutOff(info storagedriver.FileInfo) bool { return time.Since(info.ModTime()) > Abandonment }
