package storecheck

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// The modes to ask access(2) for. The kernel answers without a file being written: a
// registry may be at work in the folders.
const (
	mayRead  = 4 | 1
	mayWrite = mayRead | 2
)

// reach tells whether a registry can work in the subfolders that hold images. A disk may be
// mounted there, or a link may lead out of what a container can see.
func reach(root string, access Access) error {
	mode := uint32(mayRead)
	if access == ReadWrite {
		mode = mayWrite
	}
	for _, each := range []string{filepath.Join(layout.Blobs, string(digest.Canonical)), layout.Repositories} {
		folder, err := deepest(filepath.Join(root, each))
		if err != nil {
			return err
		}
		// The driver takes a missing folder for an empty one, and would not say why it is missing.
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is a link to what is not there", folder)
		}
		if err := syscall.Access(folder, mode); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
	}
	return nil
}

// deepest is the deepest folder on a path that exists. The driver would make the others
// in it.
func deepest(path string) (string, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return deepest(filepath.Dir(path))
	}
	return path, err
}
