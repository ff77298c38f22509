package fence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/wait"
)

// Hold is the right to collect.
type Hold struct {
	fence  *Fence
	cancel context.CancelCauseFunc
	ended  chan struct{}
	// right ends when the right is lost, but not when the collection is told to end: a deletion
	// under way had better be finished than cut off.
	right context.Context
	// lapse ends both contexts in time, even if the store does not answer.
	lapse *time.Timer
	// writing is held by the one goroutine that writes the object.
	writing chan struct{}
	// read are the entries of the journal that have been passed on.
	read map[string]bool
	// known are the generations from before this collection. A push that the collection knows of need not
	// learn of them.
	known map[string]bool
	// patience is how long the next pause waits for writers.
	patience time.Duration

	mutex   sync.Mutex
	self    holder
	renewed time.Duration
	// asked is when the write of the object under way began; 0 if none is. failed is the error of the last one.
	asked  time.Duration
	failed error
	// unanswered says that a deletion failed, and may still be carried out.
	unanswered bool
	pause      time.Time
	longest    time.Duration
	// resumed is when the last pause was over.
	resumed time.Time
}

// remove checks each time whether the right is still held: the machine may have been suspended since
// the last time, without any timer having noticed yet.
func (h *Hold) remove(ctx context.Context, path string) error {
	if err := h.valid(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	err := h.fence.remove(h.right, path)
	if err != nil {
		h.mutex.Lock()
		h.unanswered = true
		h.mutex.Unlock()
	}
	if lost := context.Cause(h.right); err != nil && lost != nil {
		// The request was cut off because the right was lost.
		return lost
	}
	return err
}

func (f *Fence) remove(ctx context.Context, path string) error {
	return layout.Remove(ctx, f.driver, path)
}

func (h *Hold) write(ctx context.Context) error {
	select {
	case h.writing <- struct{}{}:
		defer func() { <-h.writing }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	h.mutex.Lock()
	h.self.Beat++
	content, err := json.Marshal(h.self)
	h.mutex.Unlock()
	if err != nil {
		return err
	}
	begun := h.fence.clock()
	h.noteWrite(begun, nil)
	err = h.fence.put(ctx, h.self.path(), content)
	h.noteWrite(0, err)
	if err != nil {
		return err
	}
	if err := h.valid(); err != nil {
		// It was written too late: another collection may have begun.
		return err
	}
	h.mutex.Lock()
	h.renewed = begun
	h.mutex.Unlock()
	h.lapse.Reset(h.fence.timing.Expiry/2 - (h.fence.clock() - begun))
	return nil
}

func (h *Hold) noteWrite(asked time.Duration, failed error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.asked, h.failed = asked, failed
}

// lost is the error for a right that was lost. It tells whether the store or this machine is to blame.
func (h *Hold) lost() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	now, why := h.fence.clock(), "this machine stood still, or had no time for it"
	switch {
	case h.asked > 0:
		why = fmt.Sprintf("the store has not answered for %s", (now - h.asked).Round(time.Second))
	case h.failed != nil:
		why = h.failed.Error()
	}
	return fmt.Errorf("%w (not for %s: %s)", ErrLost, (now - h.renewed).Round(time.Second), why)
}

// standing fails if the object is gone: another server took this holder for dead and cleared it
// away.
func (h *Hold) standing(ctx context.Context) error {
	there, err := h.fence.read(ctx, h.self.ID)
	if err == nil && there == nil {
		err = fmt.Errorf("%w (another server took it away)", ErrLost)
	}
	return errors.Join(err, h.valid())
}

// renew keeps the object fresh. A holder that was late ends, and does not go on: another collection may
// have begun.
func (h *Hold) renew(ctx context.Context) {
	defer close(h.ended)
	ticker := time.NewTicker(h.fence.timing.Beat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := h.valid(); err != nil {
			h.cancel(err)
			return
		}
		// If this fails, the next beat tries again.
		_ = h.write(ctx)
	}
}

func (h *Hold) valid() error {
	h.mutex.Lock()
	late := h.fence.clock()-h.renewed > h.fence.timing.Expiry/2
	h.mutex.Unlock()
	if late {
		return h.lost()
	}
	return nil
}

func (h *Hold) enter(ctx context.Context, phase string) error {
	h.mutex.Lock()
	h.self.Phase = phase
	h.mutex.Unlock()
	return h.write(ctx)
}

// Delete deletes paths while writers are paused, unless a client counts on the digest.
func (h *Hold) Delete(ctx context.Context, d digest.Digest, paths ...string) (bool, error) {
	return h.fence.touched.Delete(d, func() error { return h.Remove(ctx, paths...) })
}

// Remove deletes paths that clients are not told of by a digest.
func (h *Hold) Remove(ctx context.Context, paths ...string) error {
	for _, each := range paths {
		if err := h.remove(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

// LongestPause is the longest time for which writers had to wait.
func (h *Hold) LongestPause() time.Duration {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.longest
}

// Release ends the collection, also one that was cut off.
func (h *Hold) Release(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	h.lapse.Stop()
	h.cancel(nil)
	<-h.ended
	h.mutex.Lock()
	paused := !h.pause.IsZero()
	h.mutex.Unlock()
	if paused {
		_ = h.Resume(ctx)
	}
	h.linger(ctx)
	h.withdraw(ctx)
	h.fence.respare(ctx)
}

// linger keeps the object until other servers can list the generation that the last pause left, if listings
// lag behind. If the object were gone before that, they would know nothing of the collection.
func (h *Hold) linger(ctx context.Context) {
	h.mutex.Lock()
	resumed := h.resumed
	h.mutex.Unlock()
	if !resumed.IsZero() && h.fence.timing.Lag > 0 {
		_ = wait.For(ctx, time.Until(resumed.Add(h.fence.timing.Settle)))
	}
}

// withdraw deletes what the holder wrote. What can't be deleted expires. So does an object that says
// "sweep" if a deletion may still be carried out: it is left on purpose.
func (h *Hold) withdraw(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.fence.timing.Expiry)
	defer cancel()
	f := h.fence
	h.mutex.Lock()
	sweeps := h.unanswered && h.self.Phase == phaseSweep
	h.mutex.Unlock()
	if !sweeps {
		_ = f.remove(ctx, journalOf(h.self.ID))
		_ = f.remove(ctx, h.self.path())
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.own = ""
	f.forget(time.Now().Add(-f.timing.Lag))
}
