package images

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
)

// manyTags is how many tags a repository may have for all that stays to be looked at.
const manyTags = 1000

// Removal is what goes when tags are deleted, or images by their digest.
type Removal struct {
	Tags []Tag
	// Untagged are images of which all tags go, and Parts what only they consist of.
	Untagged, Parts []digest.Digest
	// Staying are the images that go on by other tags, and Needed those that would have no tag
	// or were chosen by their digest, but are parts of what others name.
	Staying, Needed []Staying
	// Frees is how much is needed by nothing else of the repository. Other repositories may
	// need it.
	Frees Size
	// Unsure is set where there are too many tags to tell what else needs the parts.
	Unsure bool
}

// Staying is an image with the tags that go on to name it, or what it is part of.
type Staying struct {
	Digest digest.Digest
	Others []string
}

// Remove finds out what goes. What is not there is left out.
func (r *Reader) Remove(ctx context.Context, repository string, names []string, digests []digest.Digest) (*Removal, error) {
	all, err := r.Names(ctx, repository)
	if err != nil {
		return nil, err
	}
	tags, err := r.Tags(ctx, repository, all)
	if err != nil {
		return nil, err
	}
	removal := &Removal{}
	staying := map[digest.Digest][]string{}
	for _, tag := range tags {
		if slices.Contains(names, tag.Name) || tag.Digest != "" && slices.Contains(digests, tag.Digest) {
			removal.Tags = append(removal.Tags, tag)
		} else if tag.Digest != "" {
			staying[tag.Digest] = append(staying[tag.Digest], tag.Name)
		}
	}
	for _, tag := range removal.Tags {
		others, stays := staying[tag.Digest]
		switch {
		case stays && !slices.ContainsFunc(removal.Staying, func(s Staying) bool { return s.Digest == tag.Digest }):
			removal.Staying = append(removal.Staying, Staying{tag.Digest, others})
		case !stays && tag.Digest != "" && !slices.Contains(removal.Untagged, tag.Digest):
			removal.Untagged = append(removal.Untagged, tag.Digest)
		}
	}
	for _, d := range digests {
		if _, err := r.Manifest(ctx, repository, d); err == nil && !slices.Contains(removal.Untagged, d) {
			removal.Untagged = append(removal.Untagged, d)
		} else if err != nil && !errors.Is(err, ErrMissing) {
			return nil, err
		}
	}
	removal.Unsure = len(staying) > manyTags
	return removal, r.findParts(ctx, removal, staying)
}

// findParts finds what the images that go consist of, and nothing that stays needs.
func (r *Reader) findParts(ctx context.Context, removal *Removal, staying map[digest.Digest][]string) error {
	var kept map[digest.Digest]*Manifest
	if !removal.Unsure {
		var err error
		if kept, err = r.all(ctx, slices.Collect(maps.Keys(staying))); err != nil {
			return err
		}
		for _, m := range kept {
			// Nobody has looked at what is further down in a list that long.
			removal.Unsure = removal.Unsure || m.Manifests.More() > 0
		}
		removal.spare(kept, staying)
	}
	going, err := r.all(ctx, removal.Untagged)
	if err != nil {
		return err
	}
	frees, needed := sum{}, sum{}
	for _, m := range going {
		frees.add(m)
	}
	for _, m := range kept {
		needed.add(m)
	}
	for d := range needed {
		delete(frees, d)
	}
	for d := range going {
		if kept[d] == nil && !removal.Unsure && !slices.Contains(removal.Untagged, d) {
			removal.Parts = append(removal.Parts, d)
		}
	}
	slices.Sort(removal.Parts)
	removal.Frees = frees.total()
	return nil
}

// spare takes out what is part of something that stays: without it, that could not be pulled.
func (r *Removal) spare(kept map[digest.Digest]*Manifest, staying map[digest.Digest][]string) {
	r.Untagged = slices.DeleteFunc(r.Untagged, func(d digest.Digest) bool {
		if kept[d] == nil {
			return false
		}
		var names []string
		for root, tags := range staying {
			if partsOf(kept, root)[d] {
				names = append(names, tags...)
			}
		}
		slices.Sort(names)
		r.Needed = append(r.Needed, Staying{d, names})
		return true
	})
}

// partsOf are what a manifest lists, however far down. Each is looked at once, as lists may name
// the same time and again.
func partsOf(all map[digest.Digest]*Manifest, root digest.Digest) map[digest.Digest]bool {
	found := map[digest.Digest]bool{}
	for rest := []digest.Digest{root}; len(rest) > 0; {
		m := all[rest[0]]
		rest = rest[1:]
		if m == nil {
			continue
		}
		for _, part := range m.Manifests.Items {
			if d := digest.Digest(part.Digest); d != "" && !found[d] {
				found[d] = true
				rest = append(rest, d)
			}
		}
	}
	return found
}

// all are manifests and what they list.
func (r *Reader) all(ctx context.Context, roots []digest.Digest) (map[digest.Digest]*Manifest, error) {
	found := map[digest.Digest]*Manifest{}
	for len(roots) > 0 {
		read := make([]*Manifest, len(roots))
		err := each(ctx, len(roots), func(ctx context.Context, i int) (err error) {
			read[i], err = r.part(ctx, roots[i])
			if errors.Is(err, ErrMissing) {
				err = nil
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		roots = nil
		for _, m := range read {
			if m == nil || found[m.Digest] != nil {
				continue
			}
			found[m.Digest] = m
			for _, part := range m.Manifests.Items {
				if d := digest.Digest(part.Digest); d != "" && found[d] == nil && !slices.Contains(roots, d) {
					roots = append(roots, d)
				}
			}
		}
	}
	return found, nil
}
