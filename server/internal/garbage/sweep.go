package garbage

import (
	"context"
	"errors"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/garbage/plan"
)

// budget is how long a pause deletes, and how long writers go on after it. Even with the time that it
// takes to begin and to end a pause, no write waits for as long as a second. Writes through this server
// also go on while a pause is announced.
const budget = 750 * time.Millisecond

func (r *run) sweep(ctx context.Context) error {
	rest := r.todo.Deletions
	for len(rest) > 0 {
		var err error
		if rest, err = r.pause(ctx, rest); err != nil {
			return err
		}
		if len(rest) > 0 {
			select {
			case <-time.After(budget):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// pause deletes for a while and returns what is left to do.
func (r *run) pause(ctx context.Context, rest []plan.Deletion) (_ []plan.Deletion, err error) {
	// Most of what was pushed can be looked at while writers go on.
	pushed, err := r.hold.Pushed(ctx)
	if err == nil {
		err = r.protect(ctx, pushed)
	}
	if err != nil {
		return nil, err
	}
	r.setPaused(true)
	pushed, err = r.hold.Pause(ctx)
	release := r.holdBack.Begin()
	defer func() {
		if resumed := r.hold.Resume(ctx); err == nil {
			err = resumed
		}
		r.tell(ctx)
		release()
		r.setPaused(false)
	}()
	if errors.Is(err, fence.ErrWriters) {
		return rest, nil
	}
	if err != nil {
		return nil, err
	}
	r.report.Pauses++
	if err := r.protect(ctx, pushed); err != nil {
		return nil, err
	}
	r.keepTouched(rest)
	for until := time.Now().Add(budget); len(rest) > 0 && time.Now().Before(until); {
		done, err := r.deleteSome(ctx, rest, until)
		if err != nil {
			return nil, err
		}
		rest = rest[done:]
	}
	return rest, nil
}

// deleteSome stays within a stage, and returns how many deletions are done.
func (r *run) deleteSome(ctx context.Context, rest []plan.Deletion, until time.Time) (done int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inventory.Workers)
	for done < len(rest) && rest[done].Stage == rest[0].Stage && time.Now().Before(until) && ctx.Err() == nil {
		d := rest[done]
		group.Go(func() error { return r.delete(ctx, d) })
		done++
	}
	err = group.Wait()
	for _, d := range r.spared {
		r.todo.Needs.Keep(d.Repository, d.Digest)
	}
	r.spared = nil
	return done, err
}

// keepTouched keeps manifests that clients were told of, before anything that they need is deleted.
func (r *run) keepTouched(rest []plan.Deletion) {
	for _, d := range rest {
		if d.Stage == plan.Manifests && r.fence.Touched(d.Digest) {
			r.todo.Needs.Keep(d.Repository, d.Digest)
		}
	}
}

// protect takes manifests that were pushed, and all that they need, off the list. They may not be in the
// store yet: other servers tell of a manifest before they write it.
func (r *run) protect(ctx context.Context, pushed []fence.Pushed) error {
	i, needs := r.todo.Needs.Inventory, r.todo.Needs
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(inventory.Workers)
	for n, p := range pushed {
		if p.Manifest == nil {
			// A server of an earlier version tells of a manifest after it was written, and without its content.
			m, err := i.Manifest(ctx, p.Repository, p.Digest)
			if err != nil {
				return err
			}
			p.Manifest, pushed[n].Manifest = m, m
		}
		r := i.Repository(p.Repository)
		for _, d := range p.Manifest.References() {
			if d.Validate() == nil && d.Algorithm() != digest.Canonical {
				group.Go(func() error { return i.ReadAlias(reading, r, d) })
			}
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, p := range pushed {
		for _, tag := range p.Named() {
			r.pushed[p.Repository+":"+tag] = true
		}
		// The manifest's bytes may have been missing or damaged when it was looked at.
		i.Manifests[p.Digest] = p.Manifest
		i.Repositories[p.Repository].Revisions[p.Digest] = time.Now().UnixMicro()
		if needs.Manifests[p.Repository] == nil {
			needs.Manifests[p.Repository] = map[digest.Digest]bool{}
		}
		delete(needs.Manifests[p.Repository], p.Digest)
		needs.Keep(p.Repository, p.Digest)
	}
	return nil
}
