package transfer

import (
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

// tag copies a tag with its history. Nothing is written before it is sure that the
// target can serve what the tag names.
func (r *run) tag(ctx context.Context, t *tag) error {
	defer r.progress.done()
	if !t.exists {
		r.report.tags.absent.Add(1)
		return nil
	}
	switch complete, err := r.complete(ctx, t.repository, t.current); {
	case err != nil:
		return r.failed(ctx, "tag "+t.String(), t.String(), err)
	case !complete:
		r.report.addFailure("tag %s: left out, as parts of its image could not be copied", t)
		return nil
	case !r.has(r.present, inRepository(t.repository, t.current)):
		r.report.addNote("tag %s was left out: the source does not have the manifest it names", t)
		return nil
	}
	err := retry(ctx, func() error { return r.copyTag(ctx, t) })
	if err != nil {
		return r.failed(ctx, "tag "+t.String(), t.String(), err)
	}
	return nil
}

func (r *run) copyTag(ctx context.Context, t *tag) error {
	if t.pushed.IsZero() {
		if goesOn, err := r.decide(ctx, t); err != nil || !goesOn {
			return err
		}
	}
	// The other way round than a push: a tag that has a history only is listed, but cannot be pulled.
	if err := r.put(ctx, t.currentPath(), []byte(t.current), &r.report.tags); err != nil {
		return err
	}
	if err := r.carry(ctx, t); err != nil {
		return err
	}
	for _, d := range t.history {
		if _, _, err := r.copyLink(ctx, layout.LinkPath(t.indexPath(), d)); err != nil {
			return err
		}
	}
	return nil
}

// decide says whether the target gets the tag, or has it already, and sets when it was pushed
// where the target does not know that yet.
func (r *run) decide(ctx context.Context, t *tag) (bool, error) {
	now, ours, err := r.from.look(ctx, t)
	if err != nil {
		return false, err
	}
	if now != t.current {
		// When that one was pushed can't be told any more.
		r.report.addNote("tag %s was left out: it was changed on the source meanwhile; run it again", t)
		return false, nil
	}
	there, theirs, err := r.to.look(ctx, t)
	if err != nil {
		return false, err
	}
	switch {
	case there != t.current:
		newer, err := r.targetMovedOn(ctx, t, there, theirs.After(ours))
		if err != nil {
			return false, err
		}
		if newer {
			r.report.addNote("tag %s was left as it is: the target has a newer one", t)
			return false, nil
		}
	case theirs.Equal(ours):
		return true, nil
	case theirs.After(ours):
		// Whoever pushes a tag writes its history before, so without one a transfer was cut off.
		_, err := r.to.twice.Stat(ctx, layout.LinkPath(t.indexPath(), t.current))
		if err == nil {
			return true, nil
		}
		if !layout.IsMissing(err) {
			return false, r.to.Failure(store.Read, err)
		}
	}
	t.pushed = ours
	return true, nil
}

// targetMovedOn says whether the target's tag names something else because somebody
// pushed there, as after the switch to it: a second run must not take that back.
func (r *run) targetMovedOn(ctx context.Context, t *tag, there digest.Digest, later bool) (bool, error) {
	if !later || there.Validate() != nil {
		return false, nil
	}
	history, err := layout.Digests(ctx, r.to.twice, t.indexPath())
	if err != nil {
		return false, r.to.Failure(store.List, err)
	}
	// Otherwise the source had that manifest and went on to one the target has never seen.
	return !slices.Contains(t.history, there) || slices.Contains(history, t.current), nil
}

// look is what a tag names, if there is one, and when that was pushed.
func (s *side) look(ctx context.Context, t *tag) (d digest.Digest, pushed time.Time, err error) {
	info, err := s.twice.Stat(ctx, t.currentPath())
	var content []byte
	if err == nil {
		content, err = s.twice.GetContent(ctx, t.currentPath())
	}
	if layout.IsMissing(err) {
		return "", time.Time{}, nil
	}
	d = digest.Digest(content)
	if err == nil && d.Validate() == nil {
		pushed, err = layout.FindLastPush(ctx, s.twice, t.repository, t.name, d, info.ModTime())
	}
	if err != nil {
		return "", time.Time{}, s.Failure(store.Read, err)
	}
	// It is carried to the microsecond.
	return d, pushed.Truncate(time.Microsecond), nil
}

// carry has the target know when the tag was pushed. The history is written after that: by it
// the next run sees that nothing is missing.
func (r *run) carry(ctx context.Context, t *tag) error {
	if t.pushed.IsZero() || r.DryRun {
		return nil
	}
	info, err := r.to.driver.Stat(ctx, t.currentPath())
	if err != nil {
		return r.to.Failure(store.Read, err)
	}
	c := layout.Carried{Manifest: t.current, Pushed: t.pushed.UnixMicro(), Written: info.ModTime().UnixMicro()}
	// What it holds is for people.
	err = r.to.driver.PutContent(ctx, layout.CarriedPath(t.repository, t.name, c), []byte(t.pushed.UTC().Format(time.RFC3339)))
	if err != nil {
		return r.to.Failure(store.Write, err)
	}
	return nil
}
