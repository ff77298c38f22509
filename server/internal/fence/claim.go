package fence

import (
	"cmp"
	"context"
	"crypto/rand"
	"path"
	"strings"
	"time"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/wait"
)

// Busy says that another collection is under way.
type Busy struct {
	// By is the server that collects.
	By string
}

func (b Busy) Error() string { return "a collection is under way already, by " + b.By }

// Acquire begins a collection. The context it returns ends when the right is lost.
func (f *Fence) Acquire(ctx context.Context) (*Hold, context.Context, error) {
	self := holder{ID: rand.Text(), Name: f.name, Phase: phaseClaim}
	f.mutex.Lock()
	if f.own != "" {
		f.mutex.Unlock()
		return nil, nil, Busy{f.name}
	}
	f.own, f.mine[self.ID] = self.ID, true
	f.forget(time.Now().Add(-f.timing.Lag))
	for i := range f.pushed {
		f.pushed[i].told = false
	}
	f.mutex.Unlock()

	h := &Hold{fence: f, self: self, ended: make(chan struct{}), writing: make(chan struct{}, 1), read: map[string]bool{}, known: map[string]bool{}, renewed: f.clock(), patience: f.shortestDrain()}
	right, lost := context.WithCancelCause(context.WithoutCancel(ctx))
	h.right = right
	ctx, h.cancel = context.WithCancelCause(ctx)
	h.lapse = time.AfterFunc(f.timing.Expiry/2, func() {
		why := h.lost()
		lost(why)
		h.cancel(why)
	})
	go h.renew(ctx)
	err := h.claim(ctx)
	if err == nil && f.timing.Lag > 0 {
		// Others find the object in a listing, and what they pushed before that is found
		// in one as well.
		err = wait.For(ctx, 2*f.timing.Settle)
	}
	if err != nil {
		// Stores say only that they were told to stop.
		err = cmp.Or(context.Cause(ctx), err)
		h.Release(ctx)
		return nil, nil, err
	}
	return h, ctx, nil
}

// claim writes and then lists, so that of two at least one sees the other. Of those that
// are only claiming, the one with the smallest ID waits for the others to withdraw. A
// holder that may be dead has to be watched until it moves or expires.
func (h *Hold) claim(ctx context.Context) error {
	f := h.fence
	first := map[string]holder{}
	var stale []string
	for {
		if err := h.write(ctx); err != nil {
			return err
		}
		if f.timing.Lag > 0 {
			if err := wait.For(ctx, f.timing.Settle); err != nil {
				return err
			}
		}
		s, err := f.looks.after(ctx)
		if err != nil {
			return err
		}
		if len(f.others(s)) == 0 {
			stale = s.stale
			break
		}
		for _, other := range s.holders {
			before, again := first[other.ID]
			if !again {
				first[other.ID] = other
				continue
			}
			mayStay := other.Phase == phaseClaim && other.ID > h.self.ID
			if other.ID != h.self.ID && other != before && !mayStay {
				return Busy{other.Name}
			}
		}
		if err := wait.For(ctx, f.timing.Beat/3); err != nil {
			return err
		}
	}
	if err := h.clear(ctx, stale); err != nil {
		return err
	}
	return h.enter(ctx, phaseMark)
}

// clear takes away what dead holders left, which may have deleted blobs to the last, and what
// servers left that were killed while they deleted tags.
func (h *Hold) clear(ctx context.Context, stale []string) error {
	f, own := h.fence, h.self.ID
	names, err := layout.Names(ctx, f.driver, folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if id, ok := strings.CutPrefix(name, holderPrefix); ok && id != own {
			if err := f.forgetAll(ctx); err != nil {
				return err
			}
			if err := h.remove(ctx, path.Join(folder, name)); err != nil {
				return err
			}
		}
	}
	if names, err = layout.Names(ctx, f.driver, folder); err != nil {
		return err
	}
	for _, name := range names {
		h.known[name] = true
	}
	for _, name := range stale {
		if err := h.remove(ctx, path.Join(folder, name)); err != nil {
			return err
		}
	}
	// Each by its name: what a claim that failed had deleted may be carried out when the next one
	// has a journal of its own there.
	journals := path.Join(folder, journalFolderName)
	if names, err = layout.Names(ctx, f.driver, journals); err != nil {
		return err
	}
	for _, name := range names {
		if name != own {
			if err := h.remove(ctx, path.Join(journals, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
