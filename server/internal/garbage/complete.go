package garbage

import (
	"context"

	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
)

// complete writes the links that are missing to manifests that are about another one: they
// were pushed before there were such links, through a server that writes none, or to one
// that died just then.
func (r *run) complete(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	i := r.todo.needs.inventory
	for _, each := range i.repositories {
		for d := range each.revisions {
			subject := i.manifests[d].Subject
			if subject.Validate() != nil || each.referrers[referrer{subject, d}] || !r.todo.needs.manifests[each.name][d] {
				continue
			}
			r.report.Listed++
			group.Go(func() error {
				return r.driver.PutContent(ctx, layout.ReferrerPath(each.name, subject, d), []byte(d))
			})
		}
	}
	return group.Wait()
}
