package images

import (
	"cmp"
	"context"
	"slices"

	"github.com/opencontainers/go-digest"
)

// Untagged are the manifests of a repository that no tag leads to: neither directly, nor through an index, nor
// because the manifest is about one that a tag leads to. The newest come first. They have no name.
func (r *Reader) Untagged(ctx context.Context, repository string) ([]Tag, error) {
	// This is read before the tags, so that what is pushed with a tag meanwhile is not among these.
	all, err := r.graph(ctx, repository)
	if err != nil {
		return nil, err
	}
	names, err := r.Names(ctx, repository)
	if err != nil {
		return nil, err
	}
	if len(names) > manyManifests {
		return nil, ErrMany
	}
	tags, err := r.named(ctx, repository, names)
	if err != nil {
		return nil, err
	}
	roots := make([]digest.Digest, len(tags))
	for i, tag := range tags {
		roots[i] = tag.Digest
	}
	kept := all.reach(roots, around)
	var untagged []Tag
	for d, n := range all {
		if kept[d] == nil {
			untagged = append(untagged, Tag{Digest: d, Pushed: n.pushed})
		} else if n.more {
			return nil, ErrMany
		}
	}
	slices.SortFunc(untagged, func(a, b Tag) int { return cmp.Or(b.Pushed.Compare(a.Pushed), cmp.Compare(a.Digest, b.Digest)) })
	return untagged, nil
}
