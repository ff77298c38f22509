package transfer

import (
	"context"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

// putBack restores tags that clients pushed to the target after this run had looked at the tag there, and
// before it wrote the tag. Pushes that end during the transfer have announced themselves before they write a
// tag.
func (r *run) putBack(ctx context.Context, tags []*tag) error {
	pushed, err := r.pushed(ctx)
	if err != nil {
		return r.to.Failure(store.Read, err)
	}
	candidates := map[string][]digest.Digest{}
	for _, p := range pushed {
		for _, name := range p.Named() {
			key := (&tag{repository: p.Repository, name: name}).String()
			candidates[key] = append(candidates[key], p.Digest)
		}
	}
	for _, t := range tags {
		if err := r.putBackTag(ctx, t, candidates[t.String()]); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) putBackTag(ctx context.Context, t *tag, candidates []digest.Digest) error {
	if len(candidates) == 0 {
		return nil
	}
	current, err := r.to.twice.GetContent(ctx, t.currentPath())
	if layout.IsMissing(err) || err == nil && digest.Digest(current) != t.current {
		return nil
	}
	if err != nil {
		return r.to.Failure(store.Read, err)
	}
	var latest digest.Digest
	var at time.Time
	for _, d := range candidates {
		// A push that was refused has left nothing in the history.
		info, err := r.to.twice.Stat(ctx, layout.LinkPath(t.indexPath(), d))
		if layout.IsMissing(err) {
			continue
		}
		if err != nil {
			return r.to.Failure(store.Read, err)
		}
		if written := info.ModTime(); latest == "" || written.After(at) {
			latest, at = d, written
		}
	}
	if latest == "" || latest == t.current {
		return nil
	}
	if err := r.to.driver.PutContent(ctx, t.currentPath(), []byte(latest)); err != nil {
		return r.to.Failure(store.Write, err)
	}
	r.report.addNote("tag %s was left as it is: the target has a newer one", t)
	return nil
}

// none is used in place of the pushes of clients if nothing is written to the target.
func none(context.Context) ([]fence.Pushed, error) { return nil, nil }
