package enginestore

import (
	"context"
	"os"
	"path/filepath"
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

// PutContent does not wait for the disk to keep when an upload began.
func (f folder) PutContent(ctx context.Context, path string, content []byte) error {
	if !layout.IsBeginning(path) {
		return f.StorageDriver.PutContent(ctx, path, content)
	}
	file := filepath.Join(f.root, path)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, content, 0o666)
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

// Writer makes no file for the bytes of an upload before there are any.
func (f folder) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	if appendMode || !layout.IsUpload(path) {
		return f.StorageDriver.Writer(ctx, path, appendMode)
	}
	return &unopened{open: func() (storagedriver.FileWriter, error) {
		return f.StorageDriver.Writer(ctx, path, false)
	}}, nil
}

// unopened is a writer of a file that is made when something is written.
type unopened struct {
	open   func() (storagedriver.FileWriter, error)
	writer storagedriver.FileWriter
}

func (u *unopened) Write(p []byte) (int, error) {
	if err := u.need(); err != nil {
		return 0, err
	}
	return u.writer.Write(p)
}

func (u *unopened) Commit(ctx context.Context) error {
	if err := u.need(); err != nil {
		return err
	}
	return u.writer.Commit(ctx)
}

func (u *unopened) need() (err error) {
	if u.writer == nil {
		u.writer, err = u.open()
	}
	return err
}

func (u *unopened) Size() int64 {
	if u.writer == nil {
		return 0
	}
	return u.writer.Size()
}

func (u *unopened) Close() error {
	if u.writer == nil {
		return nil
	}
	return u.writer.Close()
}

func (u *unopened) Cancel(ctx context.Context) error {
	if u.writer == nil {
		return nil
	}
	return u.writer.Cancel(ctx)
}
