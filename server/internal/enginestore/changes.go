package enginestore

import (
	"context"
	"path"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

type watcherKey struct{}

// Watcher is told of a tag that was written or deleted, before another request to this server can change
// it. from is the manifest that the tag named before: empty for a new tag, and if the store could not tell.
type Watcher func(tag string, from digest.Digest)

// Watch is the context of a request that changes tags.
func Watch(ctx context.Context, watcher Watcher) context.Context {
	return context.WithValue(ctx, watcherKey{}, watcher)
}

// watched changes a tag whose lock is held. It reads what the tag names only if there is a
// watcher.
func watched(ctx context.Context, store storagedriver.StorageDriver, folder string, change func() error) error {
	if _, ok := ctx.Value(watcherKey{}).(Watcher); !ok {
		return change()
	}
	content, err := store.GetContent(ctx, layout.CurrentOf(folder))
	from := digest.Digest(content)
	if err != nil || from.Validate() != nil {
		from = ""
	}
	if err := change(); err != nil {
		return err
	}
	tell(ctx, folder, from)
	return nil
}

// tell must be called while the tag's lock is held.
func tell(ctx context.Context, folder string, from digest.Digest) {
	if watcher, ok := ctx.Value(watcherKey{}).(Watcher); ok {
		watcher(path.Base(folder), from)
	}
}
