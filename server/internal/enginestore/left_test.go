package enginestore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// stuck is a store that can't cancel an upload.
type stuck struct{ storagedriver.StorageDriver }

type stuckWriter struct{ storagedriver.FileWriter }

func (stuck) Writer(context.Context, string, bool) (storagedriver.FileWriter, error) {
	return stuckWriter{}, nil
}

func (stuckWriter) Cancel(context.Context) error { return errors.New("away") }

// TestLeftUploads has an upload of a mirror, which the engine does not close if it can't cancel it.
func TestLeftUploads(t *testing.T) {
	s := single{stuck{}, &uploads{open: map[string]*upload{}}}
	w, err := s.Writer(t.Context(), layout.UploadPath("app", "1"), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Cancel(t.Context()); err == nil {
		t.Fatal("it is cancelled")
	}
	if n := len(s.uploads.open); n != 0 {
		t.Errorf("%d uploads are kept for good", n)
	}
}

// TestUploadsWithoutSum has uploads of a mirror. The engine does not close an upload whose sum it can't store.
func TestUploadsWithoutSum(t *testing.T) {
	path := layout.UploadPath("app", "1")
	for name, finish := range map[string]func(s single, w storagedriver.FileWriter) error{
		"a blob": func(s single, w storagedriver.FileWriter) error {
			return errors.Join(w.Commit(t.Context()), s.Move(t.Context(), path, layout.BlobPath(digest.FromString("content"))))
		},
		"none, after all": func(_ single, w storagedriver.FileWriter) error { return w.Cancel(t.Context()) },
		"one that was taken away": func(s single, _ storagedriver.FileWriter) error {
			return s.Delete(t.Context(), filepath.Dir(path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := single{inmemory.New(), &uploads{open: map[string]*upload{}}}
			w, err := s.Writer(t.Context(), path, false)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Write([]byte("content"))
			if err := errors.Join(err, finish(s, w)); err != nil {
				t.Fatal(err)
			}
			if n := len(s.uploads.open); n != 0 {
				t.Errorf("%d uploads are kept for good", n)
			}
		})
	}
}

// unlocked fails to delete an open file, as NFS does: there, the file stays under another name until it is closed.
type unlocked struct {
	storagedriver.StorageDriver
	file string
}

func (d unlocked) Delete(ctx context.Context, path string) error {
	file, err := os.Open(d.file)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return storagedriver.Error{DriverName: "filesystem", Detail: syscall.ENOTEMPTY}
	}
	return d.StorageDriver.Delete(ctx, path)
}

// TestDeletesClosed has an upload whose blob already exists, and which is deleted without a move.
func TestDeletesClosed(t *testing.T) {
	root, path := t.TempDir(), layout.UploadPath("app", "1")
	driver := unlocked{filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25}), filepath.Join(root, path)}
	s := single{folder{driver, root}, &uploads{open: map[string]*upload{}}}
	ending := &Ending{last: true}
	defer ending.Done()
	ctx := context.WithValue(t.Context(), uploadKey{}, ending)
	w, err := s.Writer(ctx, path, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Commit(ctx), w.Close()); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(ctx, filepath.Dir(path)); err != nil {
		t.Error(err)
	}
}

// TestSavesWhatWasLeft lets a request be overtaken before it has saved, and another one end the upload without a byte.
func TestSavesWhatWasLeft(t *testing.T) {
	saved := 0
	syncFile = func(file *os.File) error { saved++; return file.Sync() }
	defer func() { syncFile = (*os.File).Sync }()
	root, path := t.TempDir(), layout.UploadPath("app", "1")
	driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25})
	s := single{folder{driver, root}, &uploads{open: map[string]*upload{}}}
	held, err := s.Writer(t.Context(), path, true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := held.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	last, err := s.Writer(t.Context(), path, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(last.Commit(t.Context()), last.Close()); err != nil {
		t.Fatal(err)
	}
	if last.Size() != 1 || saved == 0 {
		t.Errorf("%d bytes are to be a blob, saved %d times", last.Size(), saved)
	}
}

// takenBack is a writer that takes back what it committed.
type takenBack struct {
	storagedriver.FileWriter
	cancelled *bool
}

func (takenBack) Commit(context.Context) error { return nil }
func (takenBack) Close() error                 { return nil }

func (w takenBack) Cancel(context.Context) error {
	*w.cancelled = true
	return nil
}

type takingBack struct {
	storagedriver.StorageDriver
	cancelled bool
}

func (d *takingBack) Writer(context.Context, string, bool) (storagedriver.FileWriter, error) {
	return takenBack{cancelled: &d.cancelled}, nil
}

// TestMirrorTakesBack cancels an upload of a mirror that got other content than it asked for. The engine has already
// closed the writer.
func TestMirrorTakesBack(t *testing.T) {
	driver := &takingBack{}
	s := single{driver, &uploads{open: map[string]*upload{}}}
	w, err := s.Writer(t.Context(), layout.UploadPath("app", "1"), false)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Commit(t.Context()), w.Close(), w.Cancel(t.Context())); err != nil || !driver.cancelled {
		t.Errorf("cancelled: %t, %v", driver.cancelled, err)
	}
	if n := len(s.uploads.open); n != 0 {
		t.Errorf("%d uploads are kept for good", n)
	}
}
