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
	// Untagged are images of which all tags go, and Parts what only they consist of.
	Untagged, Parts []digest.Digest
	// Attached are what is about those, and Companions the tags by which clients find it.
	Attached   []digest.Digest
	Companions []string
	// Staying are the images that go on by other tags, and Needed those that would have no tag
	// or were chosen by their digest, but are parts of what stays, by a tag or without one.
	Staying, Needed []Staying
	// Frees is how much is needed by nothing else of the repository. Other repositories may
	// need it.
	Frees Size
	// Unsure is set where there is too much to tell what else needs the images and their parts.
	// Then nothing goes with them, and no image that was chosen by its digest and has no tag.
	Unsure bool
}

// Staying is an image with the tags that go on to name it, or what it is part of. One that may be
// part of something has none.
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
		// What is damaged can go as well.
		if _, err := r.stat(ctx, layout.RevisionPath(repository, d)); err == nil && !slices.Contains(removal.Untagged, d) {
			removal.Untagged = append(removal.Untagged, d)
		} else if err != nil && !errors.Is(err, ErrMissing) {
			return nil, err
		}
	}
	// After the tags: what is pushed meanwhile stays.
	manifests, err := r.graph(ctx, repository)
	if err != nil && !errors.Is(err, ErrMany) {
		return nil, err
	}
	removal.Unsure = err != nil
	removal.settle(manifests, staying)
	return removal, nil
}

// unlist takes those that go from what clients note in a tag of what is about an image. The registry does
// so as they are deleted.
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

// settle spares what is part of something that stays: without it, that could not be pulled. What is
// about something goes with it.
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
		// What was chosen goes also where it is about something that stays.
		return slices.DeleteFunc(around(n), func(d digest.Digest) bool {
			return slices.Contains(r.Untagged, d) && !slices.Contains(n.parts, d)
		})
	})
	r.spare(kept, staying)
	if r.Unsure {
		return
	}
	// Of what goes, only what nothing that stays needs.
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

// roots are what stays by itself: by a tag that is not about what goes, or as nothing goes that leads to it.
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

// spare has what is a part of what is kept not go.
func (r *Removal) spare(kept map[digest.Digest]*node, staying map[digest.Digest][]string) {
	needed := map[digest.Digest][]string{}
	for _, d := range r.Untagged {
		needed[d] = nil
	}
	for d, n := range kept {
		// Nobody has looked at what is further down in a list that long.
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

// freed is how much of what goes nothing needs that is kept.
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
