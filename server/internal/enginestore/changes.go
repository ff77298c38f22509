package enginestore

import (
	"context"
	"path"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

type watcherKey struct{}

// Watcher is told of a tag that was written or deleted, before anybody else can do so on this
// server. What it named before is empty for a new tag, and where the store does not say.
type Watcher func(tag string, from digest.Digest)

// Watch is the context of a request that changes tags.
func Watch(ctx context.Context, watcher Watcher) context.Context {
	return context.WithValue(ctx, watcherKey{}, watcher)
}

// watched changes a tag whose lock is held. What it names is asked for only if somebody wants to
// know.
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

// tell is called while the tag's lock is held.
func tell(ctx context.Context, folder string, from digest.Digest) {
	if watcher, ok := ctx.Value(watcherKey{}).(Watcher); ok {
		watcher(path.Base(folder), from)
	}
}
