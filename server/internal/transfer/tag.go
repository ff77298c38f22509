package transfer

import (
	"context"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

// tag copies a tag with its history. It writes nothing before it is certain that the target can serve what the
// tag names.
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
	// This is the opposite order to a push: a tag that only has a history is listed, but cannot be pulled.
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

// decide says whether the target gets the tag, or has it already. It sets when the tag was pushed if the target
// does not know that yet.
func (r *run) decide(ctx context.Context, t *tag) (bool, error) {
	now, ours, err := r.from.look(ctx, t)
	if err != nil {
		return false, err
	}
	if now != t.current {
		// It is no longer known when the copied manifest was pushed.
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
		// A push writes the history of a tag before the tag, so a tag without it is from a transfer that was
		// cut off.
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

// targetMovedOn says whether the target's tag names something else because somebody pushed there, such as after
// the switch to it. A second run must not undo that.
func (r *run) targetMovedOn(ctx context.Context, t *tag, there digest.Digest, later bool) (bool, error) {
	if !later || there.Validate() != nil {
		return false, nil
	}
	history, err := layout.Digests(ctx, r.to.twice, t.indexPath())
	if err != nil {
		return false, r.to.Failure(store.List, err)
	}
	// Otherwise the source had that manifest, and moved on to one that the target has never seen.
	return !slices.Contains(t.history, there) || slices.Contains(history, t.current), nil
}

// look returns what a tag names, if it exists, and when that was pushed.
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
	// The time is carried to the microsecond.
	return d, pushed.Truncate(time.Microsecond), nil
}

// carry tells the target when the tag was pushed. The history is written after that, because it shows the next
// run that nothing is missing.
func (r *run) carry(ctx context.Context, t *tag) error {
	if t.pushed.IsZero() || r.DryRun {
		return nil
	}
	info, err := r.to.driver.Stat(ctx, t.currentPath())
	if err != nil {
		return r.to.Failure(store.Read, err)
	}
	c := layout.Carried{Manifest: t.current, Pushed: t.pushed.UnixMicro(), Written: info.ModTime().UnixMicro()}
	// The content is for people.
	err = r.to.driver.PutContent(ctx, layout.CarriedPath(t.repository, t.name, c), []byte(t.pushed.UTC().Format(time.RFC3339)))
	if err != nil {
		return r.to.Failure(store.Write, err)
	}
	return nil
}
