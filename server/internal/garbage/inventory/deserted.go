package inventory

import (
	"context"
	"slices"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
)

// findDeserted looks at tags about a manifest that is not there. If a client deleted the manifest, its bytes
// are there until a collection, and so are the links to what it needs. If these are missing, or another
// repository has the manifest, it may never have been in this one: cosign can keep signatures in another
// repository than their images, or in another registry.
func (i *Inventory) findDeserted(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Workers)
	for _, r := range i.Repositories {
		for name, t := range r.Tags {
			subject := r.SubjectOf(name)
			// The manifests of all repositories have been read.
			_, there := i.Manifests[subject]
			if found, ok := i.Blobs[subject]; there || !ok || found.Size > manifest.MostBytes {
				continue
			}
			group.Go(func() error {
				content, err := layout.Read(ctx, i.driver, layout.BlobPath(subject))
				if layout.IsMissing(err) {
					return nil
				}
				if err != nil {
					return err
				}
				m, _ := manifest.Parse(content)
				t.Deserted = m != nil && r.links(append(m.Blobs, m.Manifests...))
				return nil
			})
		}
	}
	return group.Wait()
}

// links says whether there are any parts, and links to all of them.
func (r *Repository) links(parts []digest.Digest) bool {
	return len(parts) > 0 && !slices.ContainsFunc(parts, func(d digest.Digest) bool {
		_, layer := r.Layers[d]
		_, revision := r.Revisions[d]
		return !layer && !revision
	})
}
