package enginestore

import (
	"context"
	"hash/fnv"
	"sync/atomic"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// TagLocks keep a tag from being written and deleted at the same time.
type TagLocks [256]chan struct{}

// NewTagLocks returns locks that are all open.
func NewTagLocks() *TagLocks {
	var locks TagLocks
	for i := range locks {
		locks[i] = make(chan struct{}, 1)
	}
	return &locks
}

// holding calls do while it holds the lock of a tag's folder.
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

type (
	deletionKey struct{}
	untaggedKey struct{}
)

// Untagged is the context of a deletion of a manifest that no tag is known to name: it spares the engine a look
// at every tag of the repository.
func Untagged(ctx context.Context, d digest.Digest) context.Context {
	return context.WithValue(ctx, untaggedKey{}, d)
}

// Deletion is the deletion of a tag, or of a manifest with all its tags.
type Deletion struct {
	manifest digest.Digest
	locks    *TagLocks
	announce Announce
	untagged bool
	failed   atomic.Bool
}

// Failed says whether a tag of the manifest could not be deleted. The engine reports the deletion of the manifest
// as a success all the same.
func (d *Deletion) Failed() bool { return d.failed.Load() }

// Announce tells the other servers of a store that a tag may be about to be deleted, for as long as untag
// runs. Before untag deletes the tag, it must call late to ask whether it is too late.
type Announce func(ctx context.Context, folder string, untag func(ctx context.Context, late func() error) error) error

// Delete is the context of a request that deletes a tag, or a manifest with all its tags. The
// engine looks for the manifest's tags first, and a tag may be pushed anew before the engine deletes it.
// For a tag, d is not a digest.
func Delete(ctx context.Context, d digest.Digest, locks *TagLocks, announce Announce) (context.Context, *Deletion) {
	if d.Validate() != nil {
		d = ""
	}
	// A deletion that was marked as untagged may cause deletions of other manifests.
	deletion := &Deletion{manifest: d, locks: locks, announce: announce, untagged: d != "" && ctx.Value(untaggedKey{}) == d}
	return context.WithValue(ctx, deletionKey{}, deletion), deletion
}

// Untag deletes a tag. In the deletion of a manifest, it does so only if the tag still names that manifest.
func (d *Deletion) Untag(ctx context.Context, store storagedriver.StorageDriver, folder string) error {
	err := d.locks.holding(ctx, folder, func() error {
		if d.manifest == "" {
			return watched(ctx, store, folder, func() error { return store.Delete(ctx, folder) })
		}
		return d.announce(ctx, folder, func(ctx context.Context, late func() error) error {
			content, err := store.GetContent(ctx, layout.CurrentOf(folder))
			if err == nil && digest.Digest(content) == d.manifest {
				if err = late(); err == nil {
					err = store.Delete(ctx, folder)
				}
				if err == nil {
					tell(ctx, folder, d.manifest)
				}
			}
			if layout.IsMissing(err) {
				return nil
			}
			return err
		})
	})
	if err != nil && d.manifest != "" {
		d.failed.Store(true)
	}
	return err
}
