package inventory

import (
	"context"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
)

// About is the manifest that a manifest of a repository is about, as the digest that the former is kept by.
// It is empty for most.
func (i *Inventory) About(r *Repository, d digest.Digest) digest.Digest {
	subject := i.Manifests[d].Subject
	other, named := i.otherNames[subject]
	if _, there := r.Revisions[subject]; there || !named {
		return subject
	}
	// If only other repositories have a manifest by either digest, the digest that d names comes first.
	_, there := r.Revisions[other]
	if _, elsewhere := i.Manifests[subject]; elsewhere && !there {
		return subject
	}
	return other
}

// findOtherNames looks for manifests whose referrers name them by a digest of another algorithm than the one
// they are kept by. For that, all manifests that are kept by another algorithm have to be read again, so it
// is done only if a referrer names a manifest that is not in its repository.
func (i *Inventory) findOtherNames(ctx context.Context) error {
	wanted := map[digest.Digest]bool{}
	algorithms := map[digest.Algorithm]bool{}
	for _, r := range i.Repositories {
		for d := range r.Revisions {
			subject := i.Manifests[d].Subject
			if _, there := r.Revisions[subject]; there || subject.Validate() != nil {
				continue
			}
			wanted[subject], algorithms[subject.Algorithm()] = true, true
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Workers)
	for d, m := range i.Manifests {
		if m == gone || m == damaged || len(algorithms) == 1 && algorithms[d.Algorithm()] {
			continue
		}
		group.Go(func() error {
			content, err := layout.Read(ctx, i.driver, layout.BlobPath(d))
			if layout.IsMissing(err) {
				return nil
			}
			if err != nil {
				return err
			}
			for algorithm := range algorithms {
				if other := algorithm.FromBytes(content); other != d && wanted[other] {
					i.mutex.Lock()
					i.otherNames[other] = d
					i.mutex.Unlock()
				}
			}
			return nil
		})
	}
	return group.Wait()
}
