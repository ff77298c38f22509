package enginestore_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

func folderConfig(root string) *configuration.Configuration {
	return &configuration.Configuration{Storage: configuration.Storage{
		"filesystem":  {"rootdirectory": root},
		"maintenance": {"uploadpurging": map[any]any{"enabled": false}},
	}}
}

// TestForeignNames has names that no driver accepts in a path: nothing is written there, and existing files
// are ignored.
func TestForeignNames(t *testing.T) {
	root := t.TempDir()
	driver, config := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25}), folderConfig(root)
	url := serve(t, driver, config)
	request(t, http.MethodPost, url+"/v2/app/blobs/uploads/", "", http.StatusAccepted)
	request(t, http.MethodPost, url+"/v2/localhost:5000/app/blobs/uploads/", "", http.StatusInternalServerError)
	foreign := filepath.Join(root, layout.RepositoryPath("localhost:5000"))
	if _, err := os.Stat(foreign); !os.IsNotExist(err) {
		t.Errorf("the upload began: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(foreign, "app", layout.Uploads), 0o700); err != nil {
		t.Fatal(err)
	}
	var visited []string
	err := inside(t, config, driver).Walk(t.Context(), layout.Repositories, func(info storagedriver.FileInfo) error {
		visited = append(visited, strings.TrimPrefix(info.Path(), layout.Repositories+"/"))
		if filepath.Base(info.Path()) == layout.Uploads {
			return storagedriver.ErrSkipDir
		}
		return nil
	})
	if err != nil || !slices.Equal(visited, []string{"app", "app/_uploads"}) {
		t.Errorf("%q: %v", visited, err)
	}
}

// TestBeginningOnFullDisk expects nothing to be left of an upload that is refused: its client tries again.
func TestBeginningOnFullDisk(t *testing.T) {
	root := t.TempDir()
	registrytest.SmallDisk(t, root, "size=64k")
	url := serve(t, filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25}), folderConfig(root))
	if err := os.WriteFile(filepath.Join(root, "full"), make([]byte, 1<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	request(t, http.MethodPost, url+"/v2/app/blobs/uploads/", "", http.StatusInternalServerError)
	if left, err := os.ReadDir(filepath.Join(root, layout.RepositoryPath("app", layout.Uploads))); err != nil || len(left) > 0 {
		t.Errorf("%q, %v", left, err)
	}
}

// written is a folder that somebody else writes into while it is deleted, for a given number of attempts.
type written struct {
	storagedriver.StorageDriver
	left int
}

func (d *written) Delete(ctx context.Context, path string) error {
	if d.left--; d.left >= 0 {
		return storagedriver.Error{DriverName: d.Name(), Detail: &os.PathError{Op: "unlinkat", Path: path, Err: syscall.ENOTEMPTY}}
	}
	return d.StorageDriver.Delete(ctx, path)
}

// TestDeletionWhileOthersWrite expects a deletion to go on, but not forever.
func TestDeletionWhileOthersWrite(t *testing.T) {
	root := t.TempDir()
	for times, deleted := range map[int]bool{0: true, 3: true, 1000: false} {
		driver := &written{filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25}), times}
		config := folderConfig(root)
		serve(t, driver, config)
		if err := driver.PutContent(t.Context(), layout.TagPath("app", "1"), nil); err != nil {
			t.Fatal(err)
		}
		tag := layout.TagFolder(layout.TagPath("app", "1"))
		if err := inside(t, config, driver).Delete(t.Context(), tag); (err == nil) != deleted {
			t.Errorf("%d times: %v", times, err)
		}
		if _, err := driver.Stat(t.Context(), tag); errors.As(err, new(storagedriver.PathNotFoundError)) != deleted {
			t.Errorf("%d times: %v", times, err)
		}
	}
}

// TestNothingWritten expects no file without bytes: if another server has just ended the same upload and moved its
// bytes, an empty file would take the blob's place.
func TestNothingWritten(t *testing.T) {
	root := t.TempDir()
	driver, config := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25}), folderConfig(root)
	serve(t, driver, config)
	upload := layout.RepositoryPath("app", layout.Uploads, "d95306fa-fad3-4e36-8d41-cf1c93ef8286", "data")
	writer := func() storagedriver.FileWriter {
		t.Helper()
		writer, err := inside(t, config, driver).Writer(t.Context(), upload, true)
		if err != nil {
			t.Fatal(err)
		}
		return writer
	}
	gone := writer()
	if err := errors.Join(gone.Commit(t.Context()), gone.Close()); err != nil || gone.Size() != 0 {
		t.Errorf("%d bytes, %v", gone.Size(), err)
	}
	if _, err := driver.Stat(t.Context(), upload); !layout.IsMissing(err) {
		t.Errorf("there is a file: %v", err)
	}
	if err := gone.Cancel(t.Context()); err == nil {
		t.Error("an upload that failed could not be tried again")
	}
	for _, size := range []int64{10, 20} {
		begun := writer()
		if before := begun.Size(); before != size-10 {
			t.Errorf("%d bytes are there, not %d", before, size-10)
		}
		_, err := begun.Write([]byte(chunk))
		if err = errors.Join(err, begun.Commit(t.Context()), begun.Close()); err != nil || begun.Size() != size {
			t.Errorf("%d bytes, %v", begun.Size(), err)
		}
	}
}
