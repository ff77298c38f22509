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

// folder is a store in a folder of this machine. The engine has the disk keep each file for
// good before it goes on, also those of an upload that has hardly begun. Nothing is promised
// to the client of such a one yet.
type folder struct {
	storagedriver.StorageDriver
	root string
}

// PutContent does not wait for the disk to keep when an upload began. What is no path is the
// driver's to refuse: no walk would get past it.
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
		// Clients of a full disk try again, and each time would take what a deletion needs.
		_ = os.Remove(file)
		_ = os.Remove(filepath.Dir(file))
	}
	return err
}

// deletions are how often it is tried to delete a folder that others write into.
const deletions = 10

// Delete goes on where another server has written into a folder since it was looked through.
func (f folder) Delete(ctx context.Context, path string) (err error) {
	for range deletions {
		err = f.StorageDriver.Delete(ctx, path)
		if told := (storagedriver.Error{}); !errors.As(err, &told) || !errors.Is(told.Detail, syscall.ENOTEMPTY) {
			break
		}
	}
	return err
}

// GetContent goes by the file's own time where a power cut left nothing in it: without a
// beginning nobody would clear the upload away.
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

// Walk asks for one folder after the other, which the engine bounds: each that waits for a disk
// takes a thread, and its own walk waits with any number of them.
func (f folder) Walk(ctx context.Context, path string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	return storagedriver.WalkFallback(ctx, driver{f}, path, visit, options...)
}
