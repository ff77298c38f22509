package enginestore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// folder is a store in a folder of this machine. The engine syncs each file to the disk before
// it goes on, even the files of an upload that has hardly begun. The client of such an upload has
// not been promised anything yet.
type folder struct {
	storagedriver.StorageDriver
	root string
}

// PutContent does not wait for the disk when it writes the time at which an upload began. It leaves
// invalid paths to the driver, which refuses them: no walk would get past such a file.
func (f folder) PutContent(ctx context.Context, path string, content []byte) error {
	if !layout.IsBeginning(path) || !storagedriver.PathRegexp.MatchString(path) {
		return f.StorageDriver.PutContent(ctx, path, content)
	}
	file := filepath.Join(f.root, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	err := os.WriteFile(file, content, 0o666)
	if err != nil {
		// On a full disk, clients try again, and each attempt would take some of the space that a deletion needs.
		_ = os.Remove(file)
		_ = os.Remove(filepath.Dir(file))
	}
	return err
}

// deletions is the number of attempts to delete a folder that others write into.
const deletions = 10

// Delete tries again if another server wrote into the folder while its content was being deleted.
func (f folder) Delete(ctx context.Context, path string) (err error) {
	for range deletions {
		err = f.StorageDriver.Delete(ctx, path)
		if told := (storagedriver.Error{}); !errors.As(err, &told) || !errors.Is(told.Detail, syscall.ENOTEMPTY) {
			break
		}
	}
	return err
}

// GetContent falls back on the file's modification time if a power cut left nothing in the file: an upload without a
// beginning would never be purged.
func (f folder) GetContent(ctx context.Context, path string) ([]byte, error) {
	content, err := f.StorageDriver.GetContent(ctx, path)
	if err != nil || !layout.IsBeginning(path) {
		return content, err
	}
	if _, err := time.Parse(time.RFC3339, string(content)); err == nil {
		return content, nil
	}
	info, err := f.Stat(ctx, path)
	if err != nil {
		return nil, err
	}
	return []byte(info.ModTime().UTC().Format(time.RFC3339)), nil
}

// Walk reads folder by folder through the engine's driver, which bounds its calls: each one that waits for a disk
// takes a thread. The engine's own walk gets around that bound.
func (f folder) Walk(ctx context.Context, path string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	return storagedriver.WalkFallback(ctx, driver{f}, path, visit, options...)
}
