package inventory

import (
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/traits"
)

// Upload is what a client has sent of a blob that is not one yet.
type Upload struct{ Repository, Name string }

// Path is where its bytes are.
func (u Upload) Path() string { return layout.UploadPath(u.Repository, u.Name) }

// addUpload is for files and folders in one of the folders of uploads. Most stores other than a folder
// show bytes only when a client has gone on, and between their end and their being a blob, where they may
// be cut off. Of uploads without any the engine alone takes what is a week old. When a client goes on,
// those that list all put together what it sent before, and write the rest elsewhere: the bytes look old.
func (i *Inventory) addUpload(repository string, parts []string, info storagedriver.FileInfo) error {
	if len(parts) == 2 && info.IsDir() && !traits.Of[i.driver.Name()].ListsAll {
		// What the engine keeps there is no bytes, and would be listed by itself.
		return storagedriver.ErrSkipDir
	}
	switch {
	case len(parts) == 2 && layout.IsUpload(info.Path()) && IsCutOff(info):
		i.CutOff[Upload{repository, parts[0]}] = info.Size()
	case len(parts) > 2 && !info.IsDir() && !IsCutOff(info):
		// The engine notes how far the client came each time.
		delete(i.CutOff, Upload{repository, parts[0]})
	}
	return nil
}

// IsCutOff says whether nobody went on with an upload for long.
func IsCutOff(info storagedriver.FileInfo) bool { return time.Since(info.ModTime()) > Abandonment }
