package inventory

import (
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// Upload is what a client has sent of a blob that is not one yet.
type Upload struct{ Repository, Name string }

// Path is where its bytes are.
func (u Upload) Path() string { return layout.UploadPath(u.Repository, u.Name) }

// addUpload is for files and folders in one of the folders of uploads. Most stores other than a folder
// show bytes only in the moment between their end and their being a blob: what they show for long was
// cut off in it. Of uploads without any the engine alone takes what is a week old.
func (i *Inventory) addUpload(repository string, parts []string, info storagedriver.FileInfo) error {
	if len(parts) == 2 && info.IsDir() {
		// What the engine keeps there is no bytes.
		return storagedriver.ErrSkipDir
	}
	if len(parts) == 2 && layout.IsUpload(info.Path()) && IsCutOff(info) {
		i.CutOff[Upload{repository, parts[0]}] = info.Size()
	}
	return nil
}

// IsCutOff says whether nobody went on with an upload for long.
func IsCutOff(info storagedriver.FileInfo) bool { return time.Since(info.ModTime()) > Abandonment }
