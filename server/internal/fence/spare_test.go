package fence

import (
	"context"
	"net/http"
	"path"
	"strings"
	"sync"
	"syscall"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/layout"
)

// disk has room for so many more files. A file that is replaced takes room twice for a moment.
type disk struct {
	storagedriver.StorageDriver
	mutex sync.Mutex
	room  int
}

func (d *disk) Name() string { return "filesystem" }

func (d *disk) PutContent(ctx context.Context, p string, content []byte) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if d.room == 0 {
		return storagedriver.Error{DriverName: d.Name(), Detail: syscall.ENOSPC}
	}
	if _, err := d.Stat(ctx, p); layout.IsMissing(err) {
		d.room--
	}
	return d.StorageDriver.PutContent(ctx, p, content)
}

func (d *disk) Delete(ctx context.Context, p string) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	files := 1
	if info, err := d.Stat(ctx, p); err == nil && info.IsDir() {
		names, _ := layout.Names(ctx, d, p)
		files = len(names)
	}
	err := d.StorageDriver.Delete(ctx, p)
	if err == nil {
		d.room += files
	}
	return err
}

func (d *disk) spare(t *testing.T) int {
	t.Helper()
	names, err := layout.Names(t.Context(), d, path.Join(folder, spareName))
	if err != nil {
		t.Fatal(err)
	}
	return len(names)
}

// TestFullDisk expects the spare to make room for a collection and for a client's deletion.
func TestFullDisk(t *testing.T) {
	d := &disk{StorageDriver: inmemory.New(), room: 100}
	f := New(d, "a", quick, NoCache{})
	f.KeepSpare(t.Context())
	for range 2 {
		d.room = 0
		hold, ctx, err := f.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := hold.Pause(ctx); err != nil {
				t.Error(err)
			}
			if err := hold.Resume(ctx); err != nil {
				t.Error(err)
			}
		}
		// The collection deletes a file.
		d.room++
		hold.Release(ctx)
		if left := d.spare(t); left != spareFiles {
			t.Errorf("%d files are spare", left)
		}
	}
	d.room = 0
	untagged := false
	err := f.announce(t.Context(), "tag", func(_ context.Context, late func() error) error {
		untagged = true
		return late()
	})
	if err != nil || !untagged || d.spare(t) != spareFiles {
		t.Errorf("%v, %d files are spare", err, d.spare(t))
	}
}

// TestFullDiskWithoutSpare expects the error to say that the disk is full, also on the second attempt to
// write.
func TestFullDiskWithoutSpare(t *testing.T) {
	if _, _, err := New(&disk{StorageDriver: inmemory.New()}, "a", quick, NoCache{}).Acquire(t.Context()); err == nil || !strings.Contains(err.Error(), syscall.ENOSPC.Error()) {
		t.Error(err)
	}
}

// TestSpareBesideLeftovers expects the spare to be complete. The leftover of a file that found no room is not
// part of it, and is deleted.
func TestSpareBesideLeftovers(t *testing.T) {
	d := &disk{StorageDriver: inmemory.New(), room: 100}
	for _, name := range []string{"0.f6f3a5a0-7f6a-4a39-8d0e-000000000000.tmp", "3"} {
		if err := d.PutContent(t.Context(), path.Join(folder, spareName, name), nil); err != nil {
			t.Fatal(err)
		}
	}
	New(d, "a", quick, NoCache{}).KeepSpare(t.Context())
	if n := d.spare(t); n != spareFiles {
		t.Errorf("%d files", n)
	}
}

// TestSpareIsNoCollection has the spare not be taken for a collection. Only folders have a spare.
func TestSpareIsNoCollection(t *testing.T) {
	for _, driver := range []storagedriver.StorageDriver{&disk{StorageDriver: inmemory.New(), room: 100}, inmemory.New()} {
		s := serve(t, driver, "a")
		s.fence.KeepSpare(t.Context())
		names, err := layout.Names(t.Context(), driver, folder)
		if err != nil || len(names) > 0 != (driver.Name() == "filesystem") {
			t.Errorf("%s: %q, %v", driver.Name(), names, err)
		}
		if response := s.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated {
			t.Error(response.Status)
		}
	}
}
