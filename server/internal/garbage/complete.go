package garbage

import (
	"context"

	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/layout"
)

// missingLink is a link that should lead from a manifest to one that is about it.
type missingLink struct {
	repository string
	inventory.Referrer
}

// missingLinks are the missing links to manifests that stay. These were pushed before there were such links,
// through a server that writes none, or through one that died at that moment.
func (r *run) missingLinks() (list []missingLink) {
	i := r.todo.Needs.Inventory
	for _, each := range i.Repositories {
		for d := range each.Revisions {
			link := inventory.Referrer{Subject: i.Manifests[d].Subject, Digest: d}
			if link.Subject.Validate() == nil && !each.Referrers[link] && r.todo.Needs.Manifests[each.Name][d] {
				list = append(list, missingLink{each.Name, link})
			}
		}
	}
	return list
}

// complete writes the missing links to manifests that are still there.
func (r *run) complete(ctx context.Context, list []missingLink) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inventory.Workers)
	for _, each := range list {
		group.Go(func() error {
			_, err := r.driver.Stat(ctx, layout.RevisionPath(each.repository, each.Digest))
			if layout.IsMissing(err) {
				return nil
			}
			if err == nil {
				err = r.driver.PutContent(ctx, layout.ReferrerPath(each.repository, each.Subject, each.Digest), []byte(each.Digest))
			}
			if err == nil {
				r.mutex.Lock()
				r.report.Listed++
				r.mutex.Unlock()
			}
			return err
		})
	}
	return group.Wait()
}
