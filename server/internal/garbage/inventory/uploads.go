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

// addUpload is for files and folders in one of the folders of uploads. Other stores than a folder
// show nothing of what is sent before its end: there the engine alone takes what is a week old, as
// it does of uploads without a byte.
func (i *Inventory) addUpload(repository string, parts []string, info storagedriver.FileInfo) error {
	if i.driver.Name() != "filesystem" {
		if info.IsDir() {
			return storagedriver.ErrSkipDir
		}
		return nil
	}
	if len(parts) == 2 && !info.IsDir() && layout.IsUpload(info.Path()) && IsCutOff(info) {
		i.CutOff[Upload{repository, parts[0]}] = info.Size()
	}
	return nil
}

// IsCutOff says whether nobody went on with an upload for long.
func IsCutOff(info storagedriver.FileInfo) bool { return time.Since(info.ModTime()) > Abandonment }
