package garbage

import (
	"context"

	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
)

// missingLink is of a manifest about another one, which is found by it.
type missingLink struct {
	repository string
	referrer
}

// missingLinks are those of manifests that stay: they were pushed before there were such links, through a server
// that writes none, or to one that died just then.
func (r *run) missingLinks() (list []missingLink) {
	i := r.todo.needs.inventory
	for _, each := range i.repositories {
		for d := range each.revisions {
			link := referrer{i.manifests[d].Subject, d}
			if link.subject.Validate() == nil && !each.referrers[link] && r.todo.needs.manifests[each.name][d] {
				list = append(list, missingLink{each.name, link})
			}
		}
	}
	return list
}

// complete writes those whose manifests are still there.
func (r *run) complete(ctx context.Context, list []missingLink) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, each := range list {
		group.Go(func() error {
			_, err := r.driver.Stat(ctx, layout.RevisionPath(each.repository, each.digest))
			if layout.IsMissing(err) {
				return nil
			}
			if err == nil {
				err = r.driver.PutContent(ctx, layout.ReferrerPath(each.repository, each.subject, each.digest), []byte(each.digest))
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
