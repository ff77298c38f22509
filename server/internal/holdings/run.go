package holdings

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"container-registry/server/internal/wait"
)

const (
	// often is the time between two counts of everything. A random part is added, so that several servers
	// of a store count at different times.
	often = time.Hour
	// share bounds the time spent counting: after a count, the same thing is left alone for so many times
	// as long as the count took.
	share = 20
	// retry is the wait after a count that failed.
	retry = time.Minute
)

// Run counts until ctx ends.
func (h *Holdings) Run(ctx context.Context) {
	if h.others != nil {
		// What others have told until now is included in the first count.
		h.inTime(ctx, patience, func(ctx context.Context) error { return h.others.begin(ctx) })
		var touch sync.WaitGroup
		touch.Go(func() { h.keepInTouch(ctx) })
		defer touch.Wait()
	}
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

// keepUp counts, for a while, the repositories that are written to.
func (h *Holdings) keepUp(ctx context.Context, while time.Duration) {
	until := time.After(while)
	var later <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-until:
			return
		case <-h.stale:
			return
		case <-later:
		case <-h.written:
			_ = wait.For(ctx, h.settle) // the loop ends with ctx
		}
		// Until everything has been counted once, there is nothing to keep up to date.
		if _, counted := h.At(); !counted {
			continue
		}
		later = nil
		if rest := h.countChanged(ctx); rest > 0 {
			later = time.After(rest)
		}
	}
}

// countChanged counts the changed repositories. It skips those that recently took long, and returns when
// the first of them may be counted again. After an error the rest is left to the next count of
// everything.
func (h *Holdings) countChanged(ctx context.Context) (rest time.Duration) {
	h.mutex.Lock()
	names := slices.Collect(maps.Keys(h.changed))
	h.mutex.Unlock()
	for _, name := range names {
		if left := time.Until(h.resting[name]); left > 0 {
			if rest == 0 || left < rest {
				rest = left
			}
			continue
		}
		began := time.Now()
		if err := h.countOne(ctx, name); err != nil {
			if ctx.Err() == nil {
				h.log.WithError(err).WithField("repository", name).Warn("what a repository holds could not be counted")
			}
			wake(h.stale)
			return 0
		}
		h.resting[name] = time.Now().Add(share * time.Since(began))
	}
	maps.DeleteFunc(h.resting, func(_ string, until time.Time) bool { return time.Now().After(until) })
	return rest
}
