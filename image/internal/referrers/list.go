// Package referrers answers which manifests are about another one: signatures,
// attestations, lists of what is in an image.
//
// What is asked of the store is which manifests may be about the subject; each of them is
// read, and says so itself. So a link without its manifest is no harm, and an index that a
// client keeps by a tag, for registries without this, may lack what clients forgot to
// write into it.
package referrers

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/image/internal/layout"
	"container-registry/image/internal/manifest"
)

const (
	// most is how long an answer may be: clients take 4 MiB.
	most = 4<<20 - 4<<10
	// atOnce is how many manifests are read for one answer at a time, and held how many
	// the server holds of them: each may have 4 MiB.
	atOnce, held = 16, 32
)

// Lister reads a store.
type Lister struct {
	driver storagedriver.StorageDriver
	places chan struct{}
}

// NewLister is for a whole server.
func NewLister(driver storagedriver.StorageDriver) *Lister {
	return &Lister{driver, make(chan struct{}, held)}
}

// page is a part of the list.
type page struct {
	descriptors []json.RawMessage
	// last is the digest after which the next one begins; empty when there is none.
	last digest.Digest
}

// list is the part after a digest, of n descriptors at most, of these types if any.
func (l *Lister) list(ctx context.Context, repository string, subject, after digest.Digest, n int, types []string) (page, error) {
	found := page{descriptors: []json.RawMessage{}}
	candidates, err := l.candidates(ctx, repository, subject)
	if err != nil {
		return found, err
	}
	first, exact := slices.BinarySearch(candidates, after)
	if exact {
		first++
	}
	size := 0
	for rest := candidates[first:]; len(rest) > 0; {
		batch := rest[:min(atOnce, len(rest))]
		read, err := l.read(ctx, repository, subject, batch, types)
		if err != nil {
			return found, err
		}
		for i, each := range read {
			if each == nil {
				continue
			}
			size += len(each) + 1
			if len(found.descriptors) == n || size > most && len(found.descriptors) > 0 {
				// Whatever is left out here comes first in the next part.
				found.last = before(candidates, batch[i])
				return found, nil
			}
			found.descriptors = append(found.descriptors, each)
		}
		rest = rest[len(batch):]
	}
	return found, nil
}

func before(all []digest.Digest, d digest.Digest) digest.Digest {
	i, _ := slices.BinarySearch(all, d)
	return all[i-1]
}

// candidates are in order, each once.
func (l *Lister) candidates(ctx context.Context, repository string, subject digest.Digest) ([]digest.Digest, error) {
	all, err := layout.Digests(ctx, l.driver, layout.ReferrersPath(repository, subject))
	if err != nil {
		return nil, err
	}
	tagged, err := l.tagged(ctx, repository, subject)
	if err != nil {
		return nil, err
	}
	all = append(all, tagged...)
	slices.Sort(all)
	return slices.Compact(all), nil
}

// tagged are those that clients noted where a server does not.
func (l *Lister) tagged(ctx context.Context, repository string, subject digest.Digest) ([]digest.Digest, error) {
	content, err := l.get(ctx, layout.TagPath(repository, layout.ReferrersTag(subject)))
	if err != nil || digest.Digest(content).Validate() != nil {
		return nil, err
	}
	if content, err = l.get(ctx, layout.BlobPath(digest.Digest(content))); err != nil || content == nil {
		return nil, err
	}
	index, _ := manifest.Parse(content)
	if index == nil {
		return nil, nil
	}
	return slices.DeleteFunc(index.Manifests, func(d digest.Digest) bool { return d.Validate() != nil }), nil
}

// read leaves out what is not about the subject, what is of another type, and what is gone.
func (l *Lister) read(ctx context.Context, repository string, subject digest.Digest, batch []digest.Digest, types []string) ([]json.RawMessage, error) {
	read := make([]json.RawMessage, len(batch))
	group, ctx := errgroup.WithContext(ctx)
	for i, d := range batch {
		group.Go(func() error {
			select {
			case l.places <- struct{}{}:
				defer func() { <-l.places }()
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			descriptor, err := l.describe(ctx, repository, subject, d)
			if err != nil || descriptor == nil || len(types) > 0 && !slices.Contains(types, descriptor.ArtifactType) {
				return err
			}
			read[i], err = json.Marshal(descriptor)
			return err
		})
	}
	return read, group.Wait()
}

// describe is nil for what is not about the subject.
func (l *Lister) describe(ctx context.Context, repository string, subject, d digest.Digest) (*v1.Descriptor, error) {
	if link, err := l.get(ctx, layout.RevisionPath(repository, d)); err != nil || link == nil {
		return nil, err
	}
	content, err := l.get(ctx, layout.BlobPath(d))
	if err != nil || content == nil {
		return nil, err
	}
	descriptor, about := manifest.Describe(d, content)
	if about != subject {
		return nil, nil
	}
	return &descriptor, nil
}

// get is nil for what is not there.
func (l *Lister) get(ctx context.Context, path string) ([]byte, error) {
	content, err := l.driver.GetContent(ctx, path)
	if layout.IsMissing(err) {
		return nil, nil
	}
	return content, err
}
