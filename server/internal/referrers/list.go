// Package referrers answers which manifests are about another one: signatures,
// attestations, lists of what is in an image.
//
// What is asked of the store is which manifests may be about the subject; each of them is
// read, and says so itself. So a link without its manifest is no harm, and an index that a
// client keeps by a tag, for registries without this, may lack what clients forgot to
// write into it. What it must not have is what was deleted: clients could not write it again.
package referrers

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/turns"
)

const (
	// most is how long an answer is, but for one that holds a single descriptor. Not every
	// client asks for a second page, and none has to take more than 4 MiB.
	most = 1 << 20
	// large is a descriptor that is read alone: a manifest may have 4 MiB, most of it in
	// annotations.
	large = 64 << 10
	// atOnce is how many manifests are read for one answer at a time, and held how many the
	// server holds of them.
	atOnce, held = 16, 8
	// looked is how many are looked at for one answer, as many as go into one: there may be any number,
	// and none of the type that is asked for.
	looked = 4096
)

// Lister reads a store.
type Lister struct {
	driver storagedriver.StorageDriver
	turns  *turns.Turns
	// places are for manifests, and one for a large one that is taken apart.
	places, place bounds.Places
	known         *known
}

// NewLister is for a whole server.
func NewLister(driver storagedriver.StorageDriver, turns *turns.Turns) *Lister {
	return &Lister{driver, turns, make(bounds.Places, held), make(bounds.Places, 1), newKnown()}
}

// page is a part of the list.
type page struct {
	descriptors []json.RawMessage
	size        int
	// last is the place after which the next one begins; empty when there is none. It is a digest,
	// with late before it when no more come but those that are large, and with early when none of
	// those was left out yet.
	last string
}

const late, early = "~", "-"

// list is the part after a place, of n descriptors at most, of these types if any. Those that are
// large come last: what is in an image must not hide its signature from clients that ask for no
// second part.
func (l *Lister) list(ctx context.Context, repository string, subject digest.Digest, after string, n int, types []string) (page, error) {
	var found page
	q := question{l, repository, subject, n, types}
	after, isLate := strings.CutPrefix(after, late)
	after, isEarly := strings.CutPrefix(after, early)
	isEarly = isEarly || after == ""
	room := looked
	if !isLate {
		candidates, err := q.candidates(ctx, after, false, room)
		if err != nil {
			return found, err
		}
		others, err := q.fill(ctx, &found, candidates, false)
		if err != nil {
			return found, err
		}
		if found.last != "" {
			if isEarly && len(others) == 0 {
				found.last = early + found.last
			}
			return found, nil
		}
		if isEarly {
			// There are no other large ones.
			_, err = q.fill(ctx, &found, part{digests: others}, true)
			return found, err
		}
		after = ""
		room -= len(candidates.digests)
	}
	candidates, err := q.candidates(ctx, after, true, room)
	if err != nil {
		return found, err
	}
	_, err = q.fill(ctx, &found, candidates, true)
	return found, err
}

// question is what a page answers.
type question struct {
	*Lister
	repository string
	subject    digest.Digest
	n          int
	types      []string
}

// fill adds to a page what is large, or is not. It returns the others.
func (q question) fill(ctx context.Context, found *page, candidates part, isLarge bool) (others []digest.Digest, err error) {
	var last digest.Digest
	for rest := candidates.digests; len(rest) > 0; {
		batch := rest[:min(atOnce, len(rest))]
		read, err := q.read(ctx, q.repository, q.subject, batch, q.types)
		if err != nil {
			return nil, err
		}
		for i, each := range read {
			if each.subject == "" {
				continue
			}
			if each.size > large != isLarge {
				others = append(others, batch[i])
				continue
			}
			if len(found.descriptors) > 0 && (len(found.descriptors) == q.n || found.size+each.size > most) {
				// Whatever is left out here comes first in the next part.
				found.last = placeBefore(candidates.digests, batch[i], isLarge)
				return others, nil
			}
			if isLarge {
				if each, err = q.take(ctx, batch[i]); err != nil {
					return nil, err
				}
				if each.raw == nil {
					// It went meanwhile.
					continue
				}
			}
			found.descriptors = append(found.descriptors, each.raw)
			found.size += each.size + 1
		}
		rest, last = rest[len(batch):], batch[len(batch)-1]
	}
	if candidates.more {
		found.last = placeAfter(last, isLarge)
	}
	return others, nil
}

// About are the first of those that are about a manifest, and whether there are more.
func (l *Lister) About(ctx context.Context, repository string, subject digest.Digest, n int) ([]v1.Descriptor, bool, error) {
	found, err := l.list(ctx, repository, subject, "", n, nil)
	if err != nil {
		return nil, false, err
	}
	all := make([]v1.Descriptor, len(found.descriptors))
	for i, each := range found.descriptors {
		if err := json.Unmarshal(each, &all[i]); err != nil {
			return nil, false, err
		}
	}
	return all, found.last != "", nil
}

// placeBefore a digest is where all begins for the first one, which comes after those that are not large.
func placeBefore(all []digest.Digest, d digest.Digest, isLarge bool) string {
	before := digest.Digest("")
	if i, _ := slices.BinarySearch(all, d); i > 0 {
		before = all[i-1]
	}
	return placeAfter(before, isLarge)
}

func placeAfter(d digest.Digest, isLarge bool) string {
	if isLarge {
		return late + d.String()
	}
	return d.String()
}

// isSmall says whether a manifest is known not to be large.
func (l *Lister) isSmall(d digest.Digest) bool {
	found, ok := l.known.get(d)
	return ok && found.size <= large
}

// read leaves out what is not about the subject, what is of another type, and what is gone.
// Of large descriptors it leaves out the text.
func (l *Lister) read(ctx context.Context, repository string, subject digest.Digest, batch []digest.Digest, types []string) ([]descriptor, error) {
	read := make([]descriptor, len(batch))
	group, ctx := errgroup.WithContext(ctx)
	for i, d := range batch {
		group.Go(func() error {
			found, err := l.describe(ctx, repository, d)
			if err != nil || found.subject != subject || len(types) > 0 && !slices.Contains(types, found.artifactType) {
				return err
			}
			switch {
			case found.size > large:
				found.raw = nil
			case found.raw == nil:
				found, err = l.take(ctx, d)
			}
			read[i] = found
			return err
		})
	}
	return read, group.Wait()
}

// describe is about no subject where there is no such manifest.
func (l *Lister) describe(ctx context.Context, repository string, d digest.Digest) (descriptor, error) {
	if link, err := l.get(ctx, layout.RevisionPath(repository, d)); err != nil || digest.Digest(link).Validate() != nil {
		return descriptor{}, err
	}
	if found, ok := l.known.get(d); ok {
		return found, nil
	}
	return l.take(ctx, d)
}

// take reads a manifest.
func (l *Lister) take(ctx context.Context, d digest.Digest) (found descriptor, err error) {
	err = l.open(ctx, d, func(content []byte) error {
		described, subject := manifest.Describe(d, content)
		raw, err := json.Marshal(described)
		found = descriptor{subject, described.ArtifactType, len(raw), raw}
		l.known.add(d, found)
		return err
	})
	return found, err
}

// open has the text of a manifest used, if there is one.
func (l *Lister) open(ctx context.Context, d digest.Digest, use func(content []byte) error) error {
	if err := l.places.Take(ctx); err != nil {
		return err
	}
	defer l.places.Leave()
	content, err := l.get(ctx, layout.BlobPath(d))
	if err != nil || d.Algorithm().FromBytes(content) != d {
		// A damaged manifest says nothing.
		return err
	}
	if len(content) > large {
		if err := l.place.Take(ctx); err != nil {
			return err
		}
		defer l.place.Leave()
	}
	return use(content)
}

// get is nil for what is not there.
func (l *Lister) get(ctx context.Context, path string) ([]byte, error) {
	content, err := l.driver.GetContent(ctx, path)
	if layout.IsMissing(err) {
		return nil, nil
	}
	return content, err
}
