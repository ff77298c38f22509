package enginestore

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/guard"
	"container-registry/server/internal/layout"
)

var (
	errElsewhere = errors.New("another request still sends to this upload, by way of another server")
	errClosed    = errors.New("already closed")
)

// Writer makes no file for an upload before there are bytes to write. A request that ends an upload must
// not make an empty file either, if another server has just ended it: the file would take the blob's place.
func (f folder) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	if !layout.IsUpload(path) {
		return f.StorageDriver.Writer(ctx, path, appendMode)
	}
	u := &uploadFile{ctx: ctx, path: filepath.Join(f.root, path)}
	if looks(ctx) {
		info, err := f.Stat(ctx, path)
		if err == nil {
			u.size = info.Size()
		} else if layout.IsMissing(err) {
			err = nil
		}
		return u, err
	}
	err := u.open(0)
	if layout.IsMissing(err) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// Move moves only a file that this request has locked: another request that has it open would go on
// writing into the blob.
func (f folder) Move(ctx context.Context, from, to string) error {
	if ending, ok := ctx.Value(uploadKey{}).(*Ending); ok && layout.IsUpload(from) {
		if u, ok := ending.writer.FileWriter.(*uploadFile); !ok || u.file == nil {
			return layout.ErrOvertaken
		}
	}
	return f.StorageDriver.Move(ctx, from, to)
}

// syncFile is replaced by tests.
var syncFile = (*os.File).Sync

// uploadFile has the bytes of an upload, and is locked while it is open. Other servers that share the folder
// see the lock, and the system releases it when this server dies.
type uploadFile struct {
	ctx  context.Context
	path string
	// file is nil if nothing was sent.
	file                       *os.File
	size                       int64
	unsaved, committed, closed bool
}

// open goes on without a lock if the file system does not support locks.
func (u *uploadFile) open(flags int) error {
	file, err := os.OpenFile(u.path, os.O_WRONLY|flags, 0o666)
	if err != nil {
		return err
	}
	size, err := u.lock(file)
	if err != nil {
		return errors.Join(err, file.Close())
	}
	u.file, u.size = file, size
	return nil
}

func (u *uploadFile) lock(file *os.File) (size int64, err error) {
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		guard.Refuse(u.ctx, errElsewhere)
		return 0, errElsewhere
	}
	opened, err := file.Stat()
	if err != nil {
		return 0, err
	}
	there, err := os.Stat(u.path)
	if err != nil && !os.IsNotExist(err) {
		return 0, err
	}
	if err != nil || !os.SameFile(there, opened) {
		// The file became a blob after it was opened.
		return 0, layout.ErrOvertaken
	}
	return file.Seek(0, io.SeekEnd)
}

func (u *uploadFile) Write(p []byte) (int, error) {
	if u.closed || u.committed {
		return 0, errClosed
	}
	if u.file == nil {
		if err := u.create(); err != nil {
			return 0, err
		}
	}
	n, err := u.file.Write(p)
	u.size += int64(n)
	u.unsaved = u.unsaved || n > 0
	return n, err
}

func (u *uploadFile) create() error {
	if err := os.MkdirAll(filepath.Dir(u.path), 0o777); err != nil {
		return err
	}
	if err := u.open(os.O_CREATE); err != nil {
		return err
	}
	if u.size > 0 {
		return layout.ErrOvertaken
	}
	return nil
}

func (u *uploadFile) Size() int64 { return u.size }

// Commit has nothing to save if nothing was written: the engine itself stores an empty blob.
func (u *uploadFile) Commit(context.Context) error {
	if u.closed || u.committed {
		return errClosed
	}
	// An earlier request may have been overtaken, or its server may have died, before its bytes were saved.
	u.unsaved = u.file != nil
	if err := u.save(); err != nil {
		return err
	}
	u.committed = true
	return nil
}

func (u *uploadFile) save() error {
	if !u.unsaved {
		return nil
	}
	u.unsaved = false
	return syncFile(u.file)
}

// Close keeps a committed file locked, because it is about to become a blob.
func (u *uploadFile) Close() error {
	if u.closed {
		return errClosed
	}
	u.closed = true
	if u.committed || u.file == nil {
		return nil
	}
	return errors.Join(u.save(), u.file.Close())
}

// Cancel fails once the file is closed, as that of other drivers does. So an upload that could not be ended is
// left, and its client can try again.
func (u *uploadFile) Cancel(context.Context) error {
	if u.closed {
		return errClosed
	}
	u.closed = true
	if u.file == nil {
		return nil
	}
	return errors.Join(os.Remove(u.path), u.file.Close())
}

func (u *uploadFile) letGo() {
	if u.file != nil {
		// The file may be closed already, and nothing needs to be saved.
		_ = u.file.Close()
	}
}
