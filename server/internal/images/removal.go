package images

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// Removal is what goes when tags are deleted, or images by their digest.
type Removal struct {
	Tags []Tag
	// Untagged are images that lose all their tags, and Parts are the parts that only they have.
	Untagged, Parts []digest.Digest
	// Attached is what is about any of those, and Companions are the tags by which clients find it.
	Attached   []digest.Digest
	Companions []string
	// Staying are the images that stay because of other tags. Needed are those that would have no tag or were
	// chosen by their digest, but are parts of something that stays, with or without a tag.
	Staying, Needed []Staying
	// Frees is the size of what nothing else in the repository needs. Other repositories may need it.
	Frees Size
	// Unsure is set if there is too much to tell what else needs the images and their parts. Then nothing goes
	// with the images, and images that were chosen by their digest and have no tag stay.
	Unsure bool
}

// Staying is an image that stays, with the tags that still name it, or the tags or digests of what it is part
// of. Others is empty for an image that only may be part of something.
type Staying struct {
	Digest digest.Digest
	Others []string
}

// Remove finds out what would go. What does not exist is left out.
func (r *Reader) Remove(ctx context.Context, repository string, names []string, digests []digest.Digest) (*Removal, error) {
	all, err := r.Names(ctx, repository)
	if err != nil {
		return nil, err
	}
	tags, err := r.named(ctx, repository, all)
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
		// Damaged manifests can go as well.
		if _, err := r.stat(ctx, layout.RevisionPath(repository, d)); err == nil && !slices.Contains(removal.Untagged, d) {
			removal.Untagged = append(removal.Untagged, d)
		} else if err != nil && !errors.Is(err, ErrMissing) {
			return nil, err
		}
	}
	// This comes after the tags were read, so that what is pushed meanwhile stays.
	manifests, err := r.graph(ctx, repository)
	if err != nil && !errors.Is(err, ErrMany) {
		return nil, err
	}
	removal.Unsure = err != nil
	removal.settle(manifests, staying)
	return removal, nil
}

// unlist removes the manifests that go from a list of what is about an image, which clients keep under a tag.
// The registry does the same when it deletes them.
func (g graph) unlist(list digest.Digest, names []string, going []digest.Digest) {
	n := g[list]
	if n == nil {
		return
	}
	n.parts = slices.DeleteFunc(n.parts, func(d digest.Digest) bool {
		part := g[d]
		return part != nil && part.subject.Validate() == nil && slices.Contains(going, d) &&
			!slices.ContainsFunc(names, func(name string) bool { return name != layout.ReferrersTag(part.subject) })
	})
}

// settle spares the parts of something that stays, which could not be pulled without them. What is about an
// image goes with it.
func (r *Removal) settle(all graph, staying map[digest.Digest][]string) {
	subjectOf := all.subjectOf()
	for d, names := range staying {
		all.unlist(d, names, r.Untagged)
		for _, name := range names {
			if subject := all[subjectOf(name)]; subject != nil {
				subject.about = append(subject.about, d)
			}
		}
	}
	going := all.reach(r.Untagged, around)
	kept := all.reach(all.roots(going, staying, subjectOf), func(n *node) []digest.Digest {
		// What was chosen goes even if it is about something that stays.
		return slices.DeleteFunc(around(n), func(d digest.Digest) bool {
			return slices.Contains(r.Untagged, d) && !slices.Contains(n.parts, d)
		})
	})
	r.spare(kept, staying)
	if r.Unsure {
		return
	}
	// Only what nothing that stays needs may go.
	maps.DeleteFunc(going, func(d digest.Digest, _ *node) bool { return kept[d] != nil })
	r.add(going, all.reach(r.Untagged, downwards))
	for _, names := range staying {
		for _, name := range names {
			if going[subjectOf(name)] != nil {
				r.Companions = append(r.Companions, name)
			}
		}
	}
	slices.Sort(r.Companions)
	r.Frees = freed(going, kept)
}

// roots are what stays by itself: because a tag names it that is not about something that goes, or because
// nothing that goes leads to it.
func (g graph) roots(going map[digest.Digest]*node, staying map[digest.Digest][]string, subjectOf func(tag string) digest.Digest) []digest.Digest {
	var roots []digest.Digest
	for d, names := range staying {
		if slices.ContainsFunc(names, func(name string) bool { return going[subjectOf(name)] == nil }) {
			roots = append(roots, d)
		}
	}
	for d := range g {
		if going[d] == nil {
			roots = append(roots, d)
		}
	}
	return roots
}

// spare keeps chosen images that are parts of what is kept.
func (r *Removal) spare(kept map[digest.Digest]*node, staying map[digest.Digest][]string) {
	needed := map[digest.Digest][]string{}
	for _, d := range r.Untagged {
		needed[d] = nil
	}
	for d, n := range kept {
		// The rest of a list that long was not read.
		r.Unsure = r.Unsure || n.more
		names := staying[d]
		if names == nil {
			names = []string{d.String()}
		}
		for _, part := range n.parts {
			if others, ok := needed[part]; ok {
				needed[part] = append(others, names...)
			}
		}
	}
	r.Untagged = slices.DeleteFunc(r.Untagged, func(d digest.Digest) bool {
		others, tagged := needed[d], slices.ContainsFunc(r.Tags, func(t Tag) bool { return t.Digest == d })
		if others == nil && (tagged || !r.Unsure) {
			return false
		}
		slices.Sort(others)
		r.Needed = append(r.Needed, Staying{d, others})
		return true
	})
}

// add tells what goes with the images: their parts, and what is about them.
func (r *Removal) add(going, parts map[digest.Digest]*node) {
	for d := range going {
		switch {
		case parts[d] == nil:
			r.Attached = append(r.Attached, d)
		case !slices.Contains(r.Untagged, d):
			r.Parts = append(r.Parts, d)
		}
	}
	slices.Sort(r.Parts)
	slices.Sort(r.Attached)
}

// freed is the size of what goes and is not needed by anything that is kept.
func freed(going, kept map[digest.Digest]*node) Size {
	frees := newSum()
	for _, n := range going {
		maps.Copy(frees.sizes, n.sizes)
	}
	for _, n := range kept {
		for d := range n.sizes {
			delete(frees.sizes, d)
		}
	}
	return frees.total().Size
}
