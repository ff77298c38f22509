package fence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/wait"
)

// Busy says that another collection is under way.
type Busy struct {
	// By is the server that collects.
	By string
}

func (b Busy) Error() string { return "a collection is under way already, by " + b.By }

// Hold is the right to collect.
type Hold struct {
	fence  *Fence
	cancel context.CancelCauseFunc
	ended  chan struct{}
	// right ends when the right is lost, and not when the collection is told to end: a
	// deletion under way is better ended than cut off.
	right context.Context
	// lapse ends both contexts in time, also while the store does not answer.
	lapse *time.Timer
	// writing lets one write the object at a time.
	writing chan struct{}
	// read are the entries of the journal that were told already.
	read map[string]bool
	// patience is how long the next pause waits for writers.
	patience time.Duration

	mutex   sync.Mutex
	self    holder
	renewed time.Duration
	// unanswered says that a deletion failed, and may be carried out all the same.
	unanswered bool
	pause      time.Time
	longest    time.Duration
	// resumed is when the last pause was over.
	resumed time.Time
}

// Acquire begins a collection. The context it returns ends when the right is lost.
func (f *Fence) Acquire(ctx context.Context) (*Hold, context.Context, error) {
	self := holder{ID: randomName(), Name: f.name, Phase: phaseClaim}
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

	h := &Hold{fence: f, self: self, ended: make(chan struct{}), writing: make(chan struct{}, 1), read: map[string]bool{}, renewed: f.clock(), patience: f.shortestDrain()}
	right, lost := context.WithCancelCause(context.WithoutCancel(ctx))
	h.right = right
	ctx, h.cancel = context.WithCancelCause(ctx)
	h.lapse = time.AfterFunc(f.timing.Expiry/2, func() {
		lost(errLost)
		h.cancel(errLost)
	})
	go h.renew(ctx)
	err := h.claim(ctx)
	if err == nil && f.timing.Lag > 0 {
		// Others find the object in a listing, and what they pushed before that is found
		// in one as well.
		err = wait.For(ctx, 2*f.timing.Settle)
	}
	if err != nil {
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

// remove looks again each time whether the right is still there: the machine may have been
// suspended since, and no timer has noticed yet.
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
		// It was cut off, for that reason.
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
	if err := h.fence.put(ctx, h.self.path(), content); err != nil {
		return err
	}
	if err := h.valid(); err != nil {
		// Too late: somebody else may have begun.
		return err
	}
	h.mutex.Lock()
	h.renewed = begun
	h.mutex.Unlock()
	h.lapse.Reset(h.fence.timing.Expiry/2 - (h.fence.clock() - begun))
	return nil
}

// standing fails when the object is gone: somebody who took this holder for dead has
// cleared it away.
func (h *Hold) standing(ctx context.Context) error {
	there, err := h.fence.read(ctx, h.self.ID)
	if err == nil && there == nil {
		err = errLost
	}
	return errors.Join(err, h.valid())
}

// renew keeps the object fresh. Who was late says so and does not come back: somebody
// else may have begun.
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
		// A store that fails once is asked again at the next beat.
		_ = h.write(ctx)
	}
}

func (h *Hold) valid() error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.fence.clock()-h.renewed > h.fence.timing.Expiry/2 {
		return errLost
	}
	return nil
}

func (h *Hold) enter(ctx context.Context, phase string) error {
	h.mutex.Lock()
	h.self.Phase = phase
	h.mutex.Unlock()
	return h.write(ctx)
}

// Pushed is what clients pushed, by way of any server, since the collection began, or
// since this or Pause told last. It must not be deleted.
func (h *Hold) Pushed(ctx context.Context) ([]Pushed, error) {
	journal, err := h.journal(ctx)
	return append(h.fence.takePushed(), journal...), err
}

// ErrWriters says that manifests under way did not end in time for a pause. Others went on,
// and the next attempt waits longer.
var ErrWriters = errors.New("manifests under way did not end")

// drain waits for the manifests under way, each time twice as long. At first it is a second,
// as everybody else waits too; a store may be so slow that it takes a minute.
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

// longestDrain is as many times the shortest.
const longestDrain = 64

func (f *Fence) shortestDrain() time.Duration { return f.timing.Expiry / 20 }

// Pause makes all writers wait. What it returns was pushed meanwhile, by way of any
// server, and must not be deleted. The cache believes nothing meanwhile.
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

// journal is what clients pushed to other servers. Most of it is read before a pause.
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

// readers is how many entries of the journal are read at once.
const readers = 16

// Resume lets writers go on.
func (h *Hold) Resume(ctx context.Context) error {
	f := h.fence
	// Also after the collection was cut off.
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

// Delete takes paths away while writers are paused, unless a client counts on the digest.
func (h *Hold) Delete(ctx context.Context, d digest.Digest, paths ...string) (bool, error) {
	return h.fence.touched.Delete(d, func() error { return h.Remove(ctx, paths...) })
}

// Remove takes paths away that no client is told of by a digest.
func (h *Hold) Remove(ctx context.Context, paths ...string) error {
	for _, each := range paths {
		if err := h.remove(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

// Touched says whether a client counts on the digest.
func (h *Hold) Touched(d digest.Digest) bool { return h.fence.touched.Has(d) }

// LongestPause is for how long writers had to wait at most.
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

// linger keeps the object where listings lag behind until others can list the generation that
// the last pause left: of one that is gone they would know nothing.
func (h *Hold) linger(ctx context.Context) {
	h.mutex.Lock()
	resumed := h.resumed
	h.mutex.Unlock()
	if !resumed.IsZero() && h.fence.timing.Lag > 0 {
		_ = wait.For(ctx, time.Until(resumed.Add(h.fence.timing.Settle)))
	}
}

// withdraw leaves nothing; what it can't delete expires. So does the object that says
// "sweep" where a deletion may still be carried out.
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
