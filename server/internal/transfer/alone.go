package transfer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

// mostNamed is how many tags one line of the report names.
const mostNamed = 10

// targetTags are the tags on the target, with only their names.
func (r *run) targetTags(ctx context.Context) ([]*tag, error) {
	taker := &snapshotTaker{driver: r.to.twice, workers: r.Workers}
	repositories, err := taker.named(ctx)
	if err != nil {
		return nil, r.untold(ctx, err)
	}
	return (&snapshot{repositories: repositories}).tags(), nil
}

// untold is for an error that keeps no image from being copied. It returns the error if nothing else can be
// done either.
func (r *run) untold(ctx context.Context, err error) error {
	if err = r.to.Failure(store.List, err); ctx.Err() != nil || endsAll(err) {
		return err
	}
	r.report.addNote("tags that only the target has are not known: %v", err)
	return nil
}

// noteAlone reports the tags that only the target has. They may be the target's own, so they stay. In a store
// that a registry was switched away from, they are those that were deleted after the switch.
func (r *run) noteAlone(ctx context.Context, found *snapshot, theirs []*tag) error {
	ours := map[string]bool{}
	for _, t := range found.tags() {
		ours[t.String()] = t.exists
	}
	theirs = slices.DeleteFunc(theirs, func(t *tag) bool { return ours[t.String()] })
	err := each(ctx, r.Workers, theirs, func(ctx context.Context, t *tag) error {
		_, err := r.to.twice.Stat(ctx, t.currentPath())
		t.exists = err == nil
		if layout.IsMissing(err) {
			return nil
		}
		return err
	})
	if err != nil {
		return r.untold(ctx, err)
	}
	var names []string
	for _, t := range theirs {
		if t.exists {
			names = append(names, t.String())
		}
	}
	if n := len(names); n > 0 {
		if n > mostNamed {
			names = append(names[:mostNamed], fmt.Sprintf("and %d more", n-mostNamed))
		}
		r.report.addNote("tags that only the target has, left as they are: %d (%s)", n, strings.Join(names, ", "))
	}
	return nil
}
