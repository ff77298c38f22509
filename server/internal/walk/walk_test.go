package walk

import (
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

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
