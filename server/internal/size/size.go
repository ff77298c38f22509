// Package size tells how much a registry holds.
package size

import (
	"context"
	"errors"
	"fmt"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

// Size is what is in a store. Blobs that repositories share count once.
type Size struct {
	Repositories, Blobs int
	Bytes               int64
}

// String is for example: 3 repositories, 12 blobs, 45.6 MB.
func (s Size) String() string {
	return fmt.Sprintf("%d repositories, %d blobs, %.1f MB", s.Repositories, s.Blobs, float64(s.Bytes)/1e6)
}

// Of looks at every blob in the store of a configuration.
func Of(ctx context.Context, c *configuration.Configuration) (Size, error) {
	var s Size
	driver, err := store.Of(c).Open(ctx)
	if err != nil {
		return s, err
	}
	registry, err := storage.NewRegistry(ctx, driver)
	if err != nil {
		return s, err
	}
	if repositories, ok := registry.(distribution.RepositoryEnumerator); ok {
		err = repositories.Enumerate(ctx, func(string) error {
			s.Repositories++
			return nil
		})
		if err != nil && !layout.IsMissing(err) {
			return s, err
		}
	}
	err = registry.Blobs().Enumerate(ctx, func(d digest.Digest) error {
		blob, err := registry.BlobStatter().Stat(ctx, d)
		if errors.Is(err, distribution.ErrBlobUnknown) {
			return nil // deleted a moment ago
		}
		s.Blobs++
		s.Bytes += blob.Size
		return err
	})
	if layout.IsMissing(err) {
		err = nil // nothing was pushed yet
	}
	return s, err
}
