// Package size tells how much a registry holds.
package size

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
	"container-registry/server/internal/walk"
)

// Size is how much is in a store. Blobs that repositories share count once.
type Size struct {
	Repositories, Blobs int
	Bytes               int64
}

// String returns, for example: 3 repositories, 12 blobs, 45.6 MB.
func (s Size) String() string {
	return fmt.Sprintf("%d repositories, %d blobs, %.1f MB", s.Repositories, s.Blobs, float64(s.Bytes)/1e6)
}

// workers is how many folders are read at once.
const workers = 4

// Of looks at every blob in the store of a configuration.
func Of(ctx context.Context, c *configuration.Configuration) (Size, error) {
	var s Size
	driver, err := store.Of(c).Open(ctx)
	if err != nil {
		return s, err
	}
	var mutex sync.Mutex
	repositories := map[string]bool{}
	err = walk.Below(ctx, driver, layout.Repositories, workers, func(relative string, info storagedriver.FileInfo) error {
		name, own, found := layout.Inside(relative)
		if !found {
			return nil
		}
		mutex.Lock()
		defer mutex.Unlock()
		if strings.HasPrefix(own, layout.Manifests) {
			repositories[name] = true
		}
		if info.IsDir() {
			return storagedriver.ErrSkipDir
		}
		return nil
	})
	if err != nil {
		return s, err
	}
	s.Repositories = len(repositories)
	err = walk.Blobs(ctx, driver, workers, func(_ digest.Digest, info storagedriver.FileInfo) error {
		mutex.Lock()
		defer mutex.Unlock()
		s.Blobs++
		s.Bytes += info.Size()
		return nil
	})
	return s, err
}
