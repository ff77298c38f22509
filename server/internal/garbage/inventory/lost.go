package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
)

// lack says what needs a blob that is not there, or whose link is damaged.
type lack struct {
	// by is one manifest that needs it, and more the number of the others.
	by   string
	more int
}

func (l lack) String() string {
	if l.more == 0 {
		return fmt.Sprintf("%s needs it; push that again or delete it", l.by)
	}
	return fmt.Sprintf("%s and %d more need it; push one of them again, or delete them", l.by, l.more)
}

// and adds another manifest that needs it.
func (l lack) and(by string) lack {
	if l.by == "" {
		return lack{by: by}
	}
	return lack{min(by, l.by), l.more + 1}
}

// findLost looks at blobs that vanished from the store without a collection. They may have been pushed since.
func (i *Inventory) findLost(ctx context.Context) error {
	lacks := map[digest.Digest]lack{}
	for _, r := range i.Repositories {
		for d := range r.Revisions {
			m := i.Manifests[d]
			// An image may list the same layer twice.
			parts := map[digest.Digest]bool{}
			for _, part := range slices.Concat(m.Blobs, m.Manifests) {
				parts[cmp.Or(i.Aliases[part], part)] = true
			}
			for part := range parts {
				if _, there := i.Blobs[part]; there || r.damaged[part] || !r.links([]digest.Digest{part}) {
					continue
				}
				lacks[part] = lacks[part].and(r.Name + "@" + d.String())
			}
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(Workers)
	for d, l := range lacks {
		group.Go(func() error {
			_, err := i.driver.Stat(ctx, layout.BlobPath(d))
			if layout.IsMissing(err) {
				i.problem("%s is not there, and %s", d, l)
				return nil
			}
			return err
		})
	}
	return group.Wait()
}
