package walk

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"

	"container-registry/server/internal/layout"
)

// TestForeignNames has names that no driver accepts in a path.
func TestForeignNames(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"app", "localhost:5000/app", "a file"} {
		if err := os.MkdirAll(filepath.Join(root, layout.RepositoryPath(name, layout.Uploads)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var mutex sync.Mutex
	var visited []string
	driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25})
	err := Below(t.Context(), driver, layout.Repositories, 2, func(relative string, _ storagedriver.FileInfo) error {
		mutex.Lock()
		defer mutex.Unlock()
		visited = append(visited, relative)
		return nil
	})
	slices.Sort(visited)
	if err != nil || !slices.Equal(visited, []string{"app", "app/_uploads"}) {
		t.Errorf("%q: %v", visited, err)
	}
}

// TestFirstError has the second of two folders fail while a worker is in the first one.
func TestFirstError(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a/1", "a/2", "a/3", "b/1", "b/2", "b/3"} {
		if err := os.MkdirAll(filepath.Join(root, layout.RepositoryPath(name)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var mutex sync.Mutex
		folders, below := 0, 0
		wrong := errors.New("wrong")
		driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25})
		err := Below(t.Context(), driver, layout.Repositories, 2, func(relative string, _ storagedriver.FileInfo) error {
			mutex.Lock()
			isBelow := strings.Contains(relative, "/")
			if isBelow {
				below++
			} else {
				folders++
			}
			isSecond := folders == 2 && !isBelow
			mutex.Unlock()
			switch {
			case isSecond:
				time.Sleep(time.Second)
				return wrong
			case isBelow:
				time.Sleep(2 * time.Second)
			}
			return nil
		})
		if err != wrong || below != 1 {
			t.Errorf("%d files of the first folder are visited: %v", below, err)
		}
	})
}
