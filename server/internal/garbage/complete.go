package garbage

import (
	"context"

	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
)

// unlisted is a manifest about another one without the link by which it is found.
type unlisted struct {
	repository string
	referrer
}

// unlisted are those that stay: they were pushed before there were such links, through a server
// that writes none, or to one that died just then.
func (r *run) unlisted() (list []unlisted) {
	i := r.todo.needs.inventory
	for _, each := range i.repositories {
		for d := range each.revisions {
			link := referrer{i.manifests[d].Subject, d}
			if link.subject.Validate() == nil && !each.referrers[link] && r.todo.needs.manifests[each.name][d] {
				list = append(list, unlisted{each.name, link})
			}
		}
	}
	return list
}

// complete writes the links of those that are still there.
func (r *run) complete(ctx context.Context, list []unlisted) error {
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
