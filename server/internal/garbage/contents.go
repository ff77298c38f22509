package garbage

import (
	"context"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
)

// readAliases looks into the links of which there are few.
func (i *inventory) readAliases(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, r := range i.repositories {
		for d := range r.layers {
			if d.Algorithm() != digest.Canonical {
				group.Go(func() error { return i.readAlias(ctx, r.name, d) })
			}
		}
	}
	return group.Wait()
}

func (i *inventory) readAlias(ctx context.Context, repository string, d digest.Digest) error {
	content, err := layout.Read(ctx, i.driver, layout.LinkPath(layout.RepositoryPath(repository, layout.Layers), d))
	if layout.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if target := digest.Digest(content); target.Validate() == nil && target.Algorithm() == digest.Canonical {
		i.mutex.Lock()
		defer i.mutex.Unlock()
		i.aliases[d] = target
	}
	return nil
}

func (i *inventory) readTags(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, r := range i.repositories {
		for name, t := range r.tags {
			group.Go(func() error {
				content, err := layout.Read(ctx, i.driver, layout.TagPath(r.name, name))
				if layout.IsMissing(err) {
					return i.findAbandoned(ctx, r.name, name, t)
				}
				if err != nil {
					return err
				}
				if d := digest.Digest(content); d.Validate() == nil {
					t.current, t.pushed, t.carried = d, layout.LastPush(d, t.pushed, t.carried), nil
				} else {
					t.damaged = true
					i.problem("tag %s:%s is damaged: it names no manifest; all that it ever named is kept; push or delete it", r.name, name)
				}
				return nil
			})
		}
	}
	return group.Wait()
}

// findAbandoned looks at a tag that names nothing. It may be a file that somebody left.
func (i *inventory) findAbandoned(ctx context.Context, repository, name string, t *tag) error {
	info, err := i.driver.Stat(ctx, layout.RepositoryPath(repository, layout.Tags, name))
	if layout.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	t.abandoned = info.IsDir() && time.Since(latest(t.begun, info.ModTime())) > abandonment
	return nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (i *inventory) readManifests(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	begun := map[digest.Digest]bool{}
	for _, r := range i.repositories {
		for d := range r.revisions {
			if begun[d] {
				continue
			}
			begun[d] = true
			group.Go(func() error {
				_, err := i.manifest(ctx, r.name, d)
				return err
			})
		}
	}
	return group.Wait()
}

// findDangling looks at tags whose manifest was not found. It may have been pushed since.
func (i *inventory) findDangling(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, r := range i.repositories {
		for name, t := range r.tags {
			if t.current == "" || i.isWhole(r, t) {
				continue
			}
			group.Go(func() error {
				for _, each := range []string{layout.BlobPath(t.current), layout.LinkPath(layout.RepositoryPath(r.name, layout.Revisions), t.current)} {
					_, err := i.driver.Stat(ctx, each)
					if layout.IsMissing(err) {
						i.problem("tag %s:%s names %s, which is not there; push or delete it", r.name, name, t.current)
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
	// gone stands for a manifest without bytes. Who pushes it again brings them back.
	gone = &manifest.Manifest{}
	// damaged stands for one of which it can't be told what it needs.
	damaged = &manifest.Manifest{}
)

// manifest reads it once, unless it was gone or damaged.
func (i *inventory) manifest(ctx context.Context, repository string, d digest.Digest) (*manifest.Manifest, error) {
	i.mutex.Lock()
	m, ok := i.manifests[d]
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
		// What the engine took can be read as far as the engine reads it.
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
	i.manifests[d] = m
	return m, nil
}

// isWhole says whether a tag leads to a manifest that can be read.
func (i *inventory) isWhole(r *repository, t *tag) bool {
	_, found := r.revisions[t.current]
	m := i.manifests[t.current]
	return found && m != gone && m != damaged
}

// isDamaged says whether it can't be told what a repository needs.
func (i *inventory) isDamaged(r *repository) bool {
	for d := range r.revisions {
		if i.manifests[d] == damaged {
			return true
		}
	}
	return false
}
