package inventory

import (
	"context"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
)

// readAliases reads the links to layers by digests of another algorithm than the engine's. There are few.
func (i *Inventory) readAliases(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Workers)
	for _, r := range i.Repositories {
		for d := range r.Layers {
			if d.Algorithm() != digest.Canonical {
				group.Go(func() error { return i.ReadAlias(ctx, r, d) })
			}
		}
	}
	return group.Wait()
}

// ReadAlias finds out by which digest the engine keeps a layer.
func (i *Inventory) ReadAlias(ctx context.Context, r *Repository, d digest.Digest) error {
	content, err := layout.Read(ctx, i.driver, layout.LinkPath(layout.RepositoryPath(r.Name, layout.Layers), d))
	if layout.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if target := digest.Digest(content); target.Validate() == nil && target.Algorithm() == digest.Canonical {
		i.Aliases[d] = target
	} else {
		r.damaged[d] = true
	}
	return nil
}

func (i *Inventory) readTags(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Workers)
	for _, r := range i.Repositories {
		for name, t := range r.Tags {
			group.Go(func() error {
				content, err := layout.Read(ctx, i.driver, layout.TagPath(r.Name, name))
				if layout.IsMissing(err) {
					return i.findAbandoned(ctx, r.Name, name, t)
				}
				if err != nil {
					return err
				}
				if d := digest.Digest(content); d.Validate() == nil {
					t.Current, t.Pushed, t.carried = d, layout.LastPush(d, t.Pushed, t.carried), nil
				} else {
					t.Damaged = true
					i.problem("tag %s:%s is damaged: it names no manifest; all that it ever named is kept; push or delete it", r.Name, name)
				}
				return nil
			})
		}
	}
	return group.Wait()
}

// findAbandoned looks at a tag that names nothing. It may also be a file that somebody left there.
func (i *Inventory) findAbandoned(ctx context.Context, repository, name string, t *Tag) error {
	info, err := i.driver.Stat(ctx, layout.RepositoryPath(repository, layout.Tags, name))
	if layout.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	t.Abandoned = info.IsDir() && time.Since(latest(t.begun, info.ModTime())) > Abandonment
	return nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (i *Inventory) readManifests(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Workers)
	begun := map[digest.Digest]bool{}
	for _, r := range i.Repositories {
		for d := range r.Revisions {
			if begun[d] {
				continue
			}
			begun[d] = true
			group.Go(func() error {
				_, err := i.Manifest(ctx, r.Name, d)
				return err
			})
		}
	}
	return group.Wait()
}

// findDangling looks at tags whose manifest was not found. The manifest may have been pushed since.
func (i *Inventory) findDangling(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Workers)
	for _, r := range i.Repositories {
		for name, t := range r.Tags {
			if t.Current == "" || i.IsWhole(r, t) {
				continue
			}
			group.Go(func() error {
				for _, each := range []string{layout.BlobPath(t.Current), layout.LinkPath(layout.RepositoryPath(r.Name, layout.Revisions), t.Current)} {
					_, err := i.driver.Stat(ctx, each)
					if layout.IsMissing(err) {
						i.problem("tag %s:%s names %s, which is not there; push or delete it", r.Name, name, t.Current)
						return nil
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	return group.Wait()
}

var (
	// gone stands for a manifest whose bytes are not there. Pushing it again brings them back.
	gone = &manifest.Manifest{}
	// damaged stands for a manifest whose needs can't be determined.
	damaged = &manifest.Manifest{}
)

// Manifest reads a manifest once, or again if it was gone or damaged.
func (i *Inventory) Manifest(ctx context.Context, repository string, d digest.Digest) (*manifest.Manifest, error) {
	i.mutex.Lock()
	m, ok := i.Manifests[d]
	i.mutex.Unlock()
	if ok && m != gone && m != damaged {
		return m, nil
	}
	content, err := layout.Read(ctx, i.driver, layout.BlobPath(d))
	switch {
	case layout.IsMissing(err):
		m = gone
	case err != nil:
		return nil, err
	default:
		// What the engine has accepted can be read at least as far as the engine reads it.
		m, _ = manifest.Parse(content)
		if m != nil {
			for n, each := range m.Blobs {
				m.Blobs[n] = i.shared(each)
			}
		}
		if m == nil || d.Algorithm().FromBytes(content) != d {
			m = damaged
			i.problem("%s@%s is damaged, so it cannot be told which blobs it needs; all of its repository is kept; push it again or delete it", repository, d)
		}
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.Manifests[d] = m
	return m, nil
}

// IsWhole says whether a tag leads to a manifest that can be read.
func (i *Inventory) IsWhole(r *Repository, t *Tag) bool {
	_, found := r.Revisions[t.Current]
	m := i.Manifests[t.Current]
	return found && m != gone && m != damaged
}

// IsDamaged says whether a repository has a damaged manifest, so that its needs can't be determined.
func (i *Inventory) IsDamaged(r *Repository) bool {
	for d := range r.Revisions {
		if i.Manifests[d] == damaged {
			return true
		}
	}
	return false
}

// Size is that of a manifest with its own blobs.
func (i *Inventory) Size(d digest.Digest) int64 {
	size := i.Blobs[d].Size
	for _, each := range i.Manifests[d].Blobs {
		size += i.Blobs[each].Size
	}
	return size
}

// Pushed is when each tag of a repository was last pushed. It leaves out tags that nobody can pull: they stay
// for people to see, and take the place of no other tag.
func (i *Inventory) Pushed(r *Repository) map[string]time.Time {
	pushed := make(map[string]time.Time, len(r.Tags))
	for name, t := range r.Tags {
		if i.IsWhole(r, t) {
			pushed[name] = t.Pushed
		}
	}
	return pushed
}
