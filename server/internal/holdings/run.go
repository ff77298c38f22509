package holdings

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	// often is how long all is left uncounted, with some more, so that several servers of
	// a store count at different times.
	often = time.Hour
	// share is which part of its time a server counts, at the most.
	share = 20
	// retry is after a count that failed.
	retry = time.Minute
)

// Run counts until ctx ends.
func (h *Holdings) Run(ctx context.Context) {
	failed := false
	for ctx.Err() == nil {
		began := time.Now()
		err := h.countAll(ctx)
		rest := max(often, share*time.Since(began))
		if err != nil {
			rest = max(retry, share*time.Since(began))
			if !failed && ctx.Err() == nil {
				h.log.WithError(err).Warn("what the repositories hold could not be counted; it is tried again")
			}
		}
		failed = err != nil
		h.keepUp(ctx, rest+rand.N(rest/4))
	}
}

// keepUp counts what was written to, for a while.
func (h *Holdings) keepUp(ctx context.Context, while time.Duration) {
	until := time.After(while)
	for {
		select {
		case <-ctx.Done():
			return
		case <-until:
			return
		case <-h.stale:
			return
		case <-h.written:
		}
		// Before all was counted once there is nothing to keep up.
		if _, counted := h.At(); !counted {
			continue
		}
		pause(ctx, h.settle)
		began := time.Now()
		h.countChanged(ctx)
		pause(ctx, share*time.Since(began))
	}
}

// countChanged leaves what can't be counted now to the next count of all.
func (h *Holdings) countChanged(ctx context.Context) {
	h.mutex.Lock()
	var names []string
	for name := range h.changed {
		names = append(names, name)
	}
	h.mutex.Unlock()
	for _, name := range names {
		if err := h.countOne(ctx, name); err != nil {
			if ctx.Err() == nil {
				h.log.WithError(err).WithField("repository", name).Warn("what a repository holds could not be counted")
			}
			h.Refresh()
			return
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
