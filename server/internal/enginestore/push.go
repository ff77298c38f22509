package enginestore

import (
	"context"
	"errors"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

type pushKey struct{}

// Push is what the store has to know about a push.
type Push struct {
	// Manifest is the digest by which the client names the manifest, and Canonical the engine's. Subject is
	// the manifest that it refers to, if any.
	Manifest, Canonical, Subject digest.Digest
	// Layers are the layers that an index lists as if they were manifests.
	Layers []digest.Digest

	holds bool
	held  []file
}

// file is a file that is not written yet.
type file struct {
	path    string
	content []byte
}

// HoldTags is the context of a push whose tags are held back until Write.
func HoldTags(ctx context.Context) (context.Context, *Push) {
	push := &Push{holds: true}
	return Storing(ctx, push), push
}

// Storing is the context of a push whose tags are written at once. A mirror uses it for what it fetches.
func Storing(ctx context.Context, push *Push) context.Context {
	return context.WithValue(ctx, pushKey{}, push)
}

type whileKey struct{}

// While is the context of a push that writes its tag only while the tag names the manifest d.
func While(ctx context.Context, d digest.Digest) context.Context {
	return context.WithValue(ctx, whileKey{}, d)
}

// errOther is the error of a push that another push of the tag has overtaken.
var errOther = errors.New("the tag names another manifest by now")

// unchanged must be called while the tag's lock is held.
func unchanged(ctx context.Context, store storagedriver.StorageDriver, folder string) error {
	d, ok := ctx.Value(whileKey{}).(digest.Digest)
	if !ok {
		return nil
	}
	content, err := store.GetContent(ctx, layout.CurrentOf(folder))
	if err == nil && digest.Digest(content) != d {
		err = errOther
	}
	return err
}

// Tag adds a tag to the held ones, for the same manifest.
func (p *Push) Tag(repository, tag string) {
	content := []byte(p.Manifest)
	p.held = append(p.held,
		file{layout.LinkPath(layout.TagIndexPath(repository, tag), p.Manifest), content},
		file{layout.TagPath(repository, tag), content})
}

// Held says whether there is a tag to write.
func (p *Push) Held() bool { return len(p.held) > 0 }

// Write writes the held tags.
func (p *Push) Write(ctx context.Context, store storagedriver.StorageDriver, locks *TagLocks) error {
	folder := func(f file) string { return layout.TagFolder(f.path) }
	for rest := p.held; len(rest) > 0; {
		tag := folder(rest[0])
		err := locks.holding(ctx, tag, func() error {
			if err := unchanged(ctx, store, tag); err != nil {
				return err
			}
			return watched(ctx, store, tag, func() error {
				for ; len(rest) > 0 && folder(rest[0]) == tag; rest = rest[1:] {
					if err := store.PutContent(ctx, rest[0].path, rest[0].content); err != nil {
						return err
					}
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// place turns a path by the engine's digest of the manifest into one by the client's.
func (p *Push) place(path string) string {
	if p.Manifest == p.Canonical {
		return path
	}
	if path == layout.BlobPath(p.Canonical) {
		return layout.BlobPath(p.Manifest)
	}
	if repository, d, ok := layout.RevisionOf(path); ok && d == p.Canonical {
		return layout.RevisionPath(repository, p.Manifest)
	}
	return path
}
