package fence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/wait"
)

// Pushed is what clients pushed, through any server, since the collection began or since the last
// call of Pushed or Pause. It must not be deleted.
func (h *Hold) Pushed(ctx context.Context) ([]Pushed, error) {
	journal, err := h.journal(ctx)
	return append(h.fence.takePushed(), journal...), err
}

// ErrWriters says that manifests under way did not end in time for a pause. The other writers were let
// through again, and the next attempt waits longer.
var ErrWriters = errors.New("manifests under way did not end")

// drain waits for the manifests under way, each time twice as long. The first time it waits for a second,
// because everybody else waits too. A store may be so slow that a minute is needed. A manifest of
// megabytes may take several minutes: then the collection gives up and the next one tries again, rather
// than have all writers wait for so long.
func (h *Hold) drain(ctx context.Context) error {
	drained, cancel := context.WithTimeout(ctx, h.patience)
	defer cancel()
	err := h.fence.gate.shut(drained)
	switch {
	case err == nil:
		h.patience = h.fence.shortestDrain()
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case h.patience < longestDrain*h.fence.shortestDrain():
		h.patience *= 2
		return ErrWriters
	default:
		return fmt.Errorf("cannot pause: %v within %s", ErrWriters, h.patience)
	}
}

// longestDrain is a multiple of the shortest time that drain waits.
const longestDrain = 64

func (f *Fence) shortestDrain() time.Duration { return f.timing.Expiry / 20 }

// Pause makes all writers wait. What it returns was pushed, through any server, since the last call of
// Pushed or Pause, and must not be deleted. No cache is believed during the pause.
func (h *Hold) Pause(ctx context.Context) ([]Pushed, error) {
	f := h.fence
	if err := h.enter(ctx, phaseSweep); err != nil {
		return nil, err
	}
	if err := wait.For(ctx, f.timing.Settle); err != nil {
		return nil, err
	}
	pause := time.Now()
	if err := h.drain(ctx); err != nil {
		h.mutex.Lock()
		h.longest = max(h.longest, time.Since(pause))
		h.mutex.Unlock()
		return nil, err
	}
	h.mutex.Lock()
	h.pause = pause
	h.mutex.Unlock()
	f.setPaused(true)
	if err := h.nextGeneration(ctx); err != nil {
		return nil, err
	}
	pushed, err := h.Pushed(ctx)
	return pushed, errors.Join(err, h.standing(ctx))
}

// journal is what clients pushed through other servers. Most of it is read before a pause.
func (h *Hold) journal(ctx context.Context) ([]Pushed, error) {
	f := h.fence
	names, err := layout.SureNames(ctx, f.driver, journalOf(h.self.ID))
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return h.read[name] || strings.Contains(name, ".") })
	all := make([]Pushed, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, name := range names {
		group.Go(func() error {
			content, err := f.driver.GetContent(ctx, path.Join(journalOf(h.self.ID), name))
			if err != nil {
				return err
			}
			return json.Unmarshal(content, &all[i])
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("the journal of pushes: %w", err)
	}
	for _, name := range names {
		h.read[name] = true
	}
	return all, nil
}

// readers is the number of journal entries that are read concurrently.
const readers = 16

// Resume lets writers go on.
func (h *Hold) Resume(ctx context.Context) error {
	f := h.fence
	// Writers have to go on even if the collection was cut off.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.timing.Expiry)
	defer cancel()
	h.mutex.Lock()
	paused := !h.pause.IsZero()
	if paused {
		h.longest = max(h.longest, time.Since(h.pause))
	}
	h.pause = time.Time{}
	unanswered := h.unanswered
	h.mutex.Unlock()
	var err error
	if paused {
		f.gate.open()
		err = h.nextGeneration(ctx)
		f.setPaused(false)
		h.mutex.Lock()
		h.resumed = time.Now()
		h.mutex.Unlock()
	}
	if lost := h.valid(); lost != nil {
		return errors.Join(err, lost)
	}
	if unanswered {
		return errors.Join(err, errUnanswered)
	}
	return errors.Join(err, h.enter(ctx, phaseMark))
}
