package garbage

import (
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
)

// ahead is how long a tag may be there before what it is about is pushed.
const ahead = time.Hour

// findDeserted looks at tags about a manifest that is not there. The bytes of one that a client
// deleted are, until a collection, and so are the links to what it needs. Where those are missing,
// or another repository has the manifest, it may never have been in this one: cosign can keep
// signatures in another repository than their images, or in another registry.
func (i *inventory) findDeserted(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, r := range i.repositories {
		for name, t := range r.tags {
			subject := r.subjectOf(name)
			// Those of all repositories were read.
			_, there := i.manifests[subject]
			if found, ok := i.blobs[subject]; there || !ok || found.size > manifest.MostBytes {
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
				t.deserted = m != nil && r.links(append(m.Blobs, m.Manifests...))
				return nil
			})
		}
	}
	return group.Wait()
}

// links says whether there are links to all of them, and to any.
func (r *repository) links(parts []digest.Digest) bool {
	return len(parts) > 0 && !slices.ContainsFunc(parts, func(d digest.Digest) bool {
		_, layer := r.layers[d]
		_, revision := r.revisions[d]
		return !layer && !revision
	})
}

// dependent says whether a tag goes with what it is about. One that is an image's own goes with it
// where the rules freed that.
func (n *needs) dependent(r *repository, name string) bool {
	_, there := r.revisions[r.subjectOf(name)]
	_, freed := n.freed[r.name][r.tags[name].current]
	return there || freed && r.isOwn(name) || r.tags[name].deserted && r.tags[name].pushed.Before(n.deserted)
}
