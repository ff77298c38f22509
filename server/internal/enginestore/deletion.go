package enginestore

import (
	"context"
	"hash/fnv"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// TagLocks let a tag be written or deleted, and not both at once.
type TagLocks [256]chan struct{}

// NewTagLocks are all open.
func NewTagLocks() *TagLocks {
	var locks TagLocks
	for i := range locks {
		locks[i] = make(chan struct{}, 1)
	}
	return &locks
}

// holding has one do something to a tag's folder.
func (l *TagLocks) holding(ctx context.Context, folder string, do func() error) error {
	h := fnv.New32a()
	_, _ = h.Write([]byte(folder))
	lock := l[h.Sum32()%uint32(len(l))]
	select {
	case lock <- struct{}{}:
		defer func() { <-lock }()
		return do()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

type deletionKey struct{}

// deletion is of a tag, or of a manifest with all its tags.
type deletion struct {
	manifest digest.Digest
	locks    *TagLocks
}

// Delete is the context of a request that deletes a tag, or a manifest with all its tags: the
// engine looks for those first, and by the time it deletes one, somebody may have pushed it.
// For a tag, d is none.
func Delete(ctx context.Context, d digest.Digest, locks *TagLocks) context.Context {
	if d.Validate() != nil {
		d = ""
	}
	return context.WithValue(ctx, deletionKey{}, deletion{d, locks})
}

// untag deletes a tag, with a manifest only while it names that. Another server may write it in
// between.
func (d deletion) untag(ctx context.Context, store storagedriver.StorageDriver, folder string) error {
	return d.locks.holding(ctx, folder, func() error {
		if d.manifest == "" {
			return store.Delete(ctx, folder)
		}
		content, err := store.GetContent(ctx, layout.CurrentOf(folder))
		if err == nil && digest.Digest(content) == d.manifest {
			err = store.Delete(ctx, folder)
		}
		if layout.IsMissing(err) {
			return nil
		}
		return err
	})
}
