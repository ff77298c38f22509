package transfer

import (
	"context"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/store"
)

// complete says whether nothing of an image was lost on the way. What the source itself
// does not have is not lost: an index may name platforms that were never pushed.
func (r *run) complete(ctx context.Context, repository string, d digest.Digest) (bool, error) {
	if r.nothingLost() {
		return true, nil
	}
	return r.isWhole(ctx, repository, d, map[digest.Digest]bool{})
}

// isWhole does not look again at what it has seen: indexes that list each other's parts have more
// paths than anything can follow.
func (r *run) isWhole(ctx context.Context, repository string, d digest.Digest, seen map[digest.Digest]bool) (bool, error) {
	if d.Validate() != nil || seen[d] {
		return true, nil
	}
	seen[d] = true
	if r.isLost(repository, d) {
		return false, nil
	}
	content, err := r.from.driver.GetContent(ctx, layout.BlobPath(d))
	if layout.IsMissing(err) {
		return true, nil
	}
	if err != nil {
		return false, r.from.Failure(store.Read, err)
	}
	// What the engine took can be read as far as the engine reads it.
	m, _ := manifest.Parse(content)
	if m == nil {
		// It names nothing that a client could ask for.
		return true, nil
	}
	for _, part := range m.Blobs {
		if r.isLost(repository, part) {
			return false, nil
		}
	}
	for _, child := range m.Manifests {
		if whole, err := r.isWhole(ctx, repository, child, seen); err != nil || !whole {
			return false, err
		}
	}
	return true, nil
}

func (r *run) nothingLost() bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return len(r.lost) == 0
}

func (r *run) isLost(repository string, d digest.Digest) bool {
	return r.has(r.lost, d.String()) || r.has(r.lost, inRepository(repository, d))
}
