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
	newer, err := r.targetMovedOn(ctx, t)
	if err != nil {
		return err
	}
	if newer {
		r.report.addNote("tag %s was left as it is: the target has a newer one", t)
		return nil
	}
	// The other way round than a push: a tag that has a history only is listed, but cannot be pulled.
	if err := r.put(ctx, t.currentPath(), []byte(t.current), &r.report.tags); err != nil {
		return err
	}
	for _, d := range t.history {
		if _, err := r.copyLink(ctx, layout.LinkPath(t.indexPath(), d)); err != nil {
			return err
		}
	}
	return nil
}

// targetMovedOn says whether the target's tag names something else because somebody
// pushed there, as after the switch to it: a second run must not take that back.
func (r *run) targetMovedOn(ctx context.Context, t *tag) (bool, error) {
	content, err := r.to.driver.GetContent(ctx, t.currentPath())
	if layout.IsMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, r.to.Failure(store.Read, err)
	}
	there := digest.Digest(content)
	if there == t.current || there.Validate() != nil {
		return false, nil
	}
	history, err := layout.Digests(ctx, r.to.driver, t.indexPath())
	if err != nil {
		return false, r.to.Failure(store.List, err)
	}
	if slices.Contains(t.history, there) && !slices.Contains(history, t.current) {
		// The source had that manifest and went on to one the target has never seen.
		return false, nil
	}
	ours, err := r.written(ctx, r.from, t)
	if err != nil {
		return false, err
	}
	theirs, err := r.written(ctx, r.to, t)
	return theirs.After(ours), err
}

func (r *run) written(ctx context.Context, s *side, t *tag) (time.Time, error) {
	info, err := s.driver.Stat(ctx, t.currentPath())
	if err != nil {
		return time.Time{}, s.Failure(store.Read, err)
	}
	return info.ModTime(), nil
}
