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
		// After this time others find the object in a listing, and this collection finds what they
		// pushed before that.
		err = wait.For(ctx, 2*f.timing.Settle)
	}
	if err != nil {
		// The store's error would say only that it was told to stop.
		err = cmp.Or(context.Cause(ctx), err)
		h.Release(ctx)
		return nil, nil, err
	}
	return h, ctx, nil
}

// claim writes and then lists, so that of two holders at least one sees the other. Of those that
// are only claiming, the one with the smallest ID waits for the others to withdraw. A
// holder that may be dead has to be watched until its object changes or expires.
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

// clear deletes what dead holders left, which may have deleted blobs until they died, and the objects of
// servers that were killed while they deleted tags.
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
	// Each journal is deleted by its name. A claim that failed may have asked for a deletion that is carried
	// out only when the next collection has its own journal in the folder.
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
