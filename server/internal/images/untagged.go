package images

import (
	"context"
	"errors"
	"slices"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// manyManifests is how many manifests a repository may have for all of them to be looked at.
const manyManifests = 1000

// ErrMany is a repository of which too much would have to be looked at.
var ErrMany = errors.New("there are too many manifests")

// Untagged are the manifests of a repository that no tag leads to: neither by its own name, nor
// by an index, nor by being about one that a tag leads to. The newest come first, and have no
// name.
func (r *Reader) Untagged(ctx context.Context, repository string) ([]Tag, error) {
	var digests []digest.Digest
	err := r.ask(ctx, func() (err error) {
		digests, err = layout.Digests(ctx, r.driver, layout.RepositoryPath(repository, layout.Revisions))
		return err
	})
	if err != nil {
		return nil, err
	}
	names, err := r.Names(ctx, repository)
	if err != nil {
		return nil, err
	}
	if len(digests) > manyManifests || len(names) > manyManifests {
		return nil, ErrMany
	}
	tags, err := r.Tags(ctx, repository, names)
	if err != nil {
		return nil, err
	}
	revisions, about, err := r.revisions(ctx, repository, digests)
	if err != nil {
		return nil, err
	}
	kept := map[digest.Digest]bool{}
	roots := make([]digest.Digest, 0, len(tags))
	for _, tag := range tags {
		if tag.Digest != "" {
			roots = append(roots, tag.Digest)
		}
	}
	for len(roots) > 0 {
		// Later roots are about what the earlier ones lead to.
		found, err := r.all(ctx, roots)
		if err != nil {
			return nil, err
		}
		roots = nil
		for d, m := range found {
			if m.Manifests.More() > 0 {
				return nil, ErrMany
			}
			if !kept[d] {
				kept[d] = true
				roots = append(roots, about[d]...)
			}
		}
	}
	untagged := slices.DeleteFunc(revisions, func(tag Tag) bool { return tag.Digest == "" || kept[tag.Digest] })
	slices.SortFunc(untagged, func(a, b Tag) int { return b.Pushed.Compare(a.Pushed) })
	return untagged, nil
}

// revisions are manifests by their digest, without digest where they are gone, and what they are about.
func (r *Reader) revisions(ctx context.Context, repository string, digests []digest.Digest) (all []Tag, about map[digest.Digest][]digest.Digest, err error) {
	all = make([]Tag, len(digests))
	read := make([]*Manifest, len(digests))
	err = each(ctx, len(digests), func(ctx context.Context, i int) error {
		info, err := r.stat(ctx, layout.RevisionPath(repository, digests[i]))
		if err == nil {
			all[i] = Tag{Digest: digests[i], Pushed: info.ModTime()}
			read[i], err = r.part(ctx, digests[i])
		}
		if errors.Is(err, ErrMissing) {
			err = nil
		}
		return err
	})
	about = map[digest.Digest][]digest.Digest{}
	for _, m := range read {
		if m != nil && m.Subject != nil {
			subject := digest.Digest(m.Subject.Digest)
			about[subject] = append(about[subject], m.Digest)
		}
	}
	return all, about, err
}
