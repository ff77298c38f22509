package fence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/image/internal/layout"
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
	began  time.Time

	mutex   sync.Mutex
	self    holder
	renewed time.Time
	pause   time.Time
	longest time.Duration
}

// Acquire begins a collection. The context it returns ends when the right is lost.
func (f *Fence) Acquire(ctx context.Context) (*Hold, context.Context, error) {
	self := holder{ID: randomName(), Name: f.name, Phase: phaseClaim}
	f.mutex.Lock()
	if f.own != "" {
		f.mutex.Unlock()
		return nil, nil, Busy{f.name}
	}
	f.own = self.ID
	f.forget(time.Now().Add(-f.timing.Lag))
	f.mutex.Unlock()

	h := &Hold{fence: f, self: self, ended: make(chan struct{}), began: time.Now()}
	if err := h.claim(ctx); err != nil {
		h.withdraw(ctx)
		return nil, nil, err
	}
	ctx, h.cancel = context.WithCancelCause(ctx)
	go h.renew(ctx)
	return h, ctx, nil
}

// claim writes and then lists, so that of two at least one sees the other. Of those that
// are only claiming, the one with the smallest ID waits for the others to withdraw. A
// holder that may be dead has to be watched until it moves or expires.
func (h *Hold) claim(ctx context.Context) error {
	f := h.fence
	first := map[string]holder{}
	for {
		if err := h.write(ctx); err != nil {
			return err
		}
		if f.timing.Lag > 0 {
			if err := sleep(ctx, f.timing.Settle); err != nil {
				return err
			}
		}
		s, err := f.look(ctx)
		if err != nil {
			return err
		}
		if s.other(h.self.ID) == nil {
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
		if err := sleep(ctx, f.timing.Beat/3); err != nil {
			return err
		}
	}
	if err := f.clear(ctx, h.self.ID); err != nil {
		return err
	}
	return h.enter(ctx, phaseMark)
}

// clear takes away what dead holders left. They may have deleted blobs to the last.
func (f *Fence) clear(ctx context.Context, own string) error {
	names, err := layout.Names(ctx, f.driver, folder)
	if err != nil {
		return err
	}
	for _, name := range names {
		if id, ok := strings.CutPrefix(name, holderPrefix); ok && id != own {
			if err := f.nextGeneration(ctx, false); err != nil {
				return err
			}
			if err := f.remove(ctx, path.Join(folder, name)); err != nil {
				return err
			}
		}
	}
	return f.remove(ctx, path.Join(folder, journalFolderName))
}

func (f *Fence) remove(ctx context.Context, path string) error {
	if err := f.driver.Delete(ctx, path); err != nil && !layout.IsMissing(err) {
		return err
	}
	return nil
}

func (h *Hold) write(ctx context.Context) error {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.self.Beat++
	content, err := json.Marshal(h.self)
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := h.fence.driver.PutContent(ctx, h.self.path(), content); err != nil {
		return err
	}
	h.renewed = begun
	return nil
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
	if time.Since(h.renewed) > h.fence.timing.Expiry/2 {
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

// Pushed is what clients pushed to this server since the collection began, or since this
// or Pause told last. It must not be deleted.
func (h *Hold) Pushed() []Pushed { return h.fence.takePushed() }

// Pause makes all writers wait. What it returns was pushed meanwhile, by way of any
// server, and must not be deleted. The cache believes nothing meanwhile.
func (h *Hold) Pause(ctx context.Context) ([]Pushed, error) {
	f := h.fence
	if err := h.enter(ctx, phaseSweep); err != nil {
		return nil, err
	}
	if err := sleep(ctx, f.timing.Settle); err != nil {
		return nil, err
	}
	pause := time.Now()
	drained, cancel := context.WithTimeoutCause(ctx, f.timing.Expiry/2, errors.New("manifests under way did not end"))
	defer cancel()
	if err := f.gate.shut(drained); err != nil {
		return nil, fmt.Errorf("cannot pause: %w", context.Cause(drained))
	}
	h.mutex.Lock()
	h.pause = pause
	h.mutex.Unlock()
	if err := f.nextGeneration(ctx, true); err != nil {
		return nil, err
	}
	journal, err := h.journal(ctx)
	if err != nil {
		return nil, err
	}
	return append(f.takePushed(), journal...), nil
}

// journal is what clients pushed to other servers.
func (h *Hold) journal(ctx context.Context) ([]Pushed, error) {
	f := h.fence
	names, err := layout.Names(ctx, f.driver, journalOf(h.self.ID))
	if err != nil {
		return nil, err
	}
	var all []Pushed
	for _, name := range names {
		content, err := f.driver.GetContent(ctx, path.Join(journalOf(h.self.ID), name))
		if layout.IsMissing(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var p Pushed
		if json.Unmarshal(content, &p) == nil {
			all = append(all, p)
		}
	}
	return all, nil
}

// Resume lets writers go on.
func (h *Hold) Resume(ctx context.Context) error {
	f := h.fence
	// Also after the collection was cut off.
	ctx = context.WithoutCancel(ctx)
	h.mutex.Lock()
	paused := !h.pause.IsZero()
	h.mutex.Unlock()
	if !paused {
		return h.enter(ctx, phaseMark)
	}
	err := f.nextGeneration(ctx, false)
	f.gate.open()
	h.mutex.Lock()
	h.longest = max(h.longest, time.Since(h.pause))
	h.pause = time.Time{}
	h.mutex.Unlock()
	return errors.Join(err, h.enter(ctx, phaseMark))
}

// nextGeneration has all servers forget what they cached. It is called before anything
// is deleted, since the holder may die, and after, since reads go on.
func (f *Fence) nextGeneration(ctx context.Context, paused bool) error {
	f.looking.Lock()
	defer f.looking.Unlock()
	f.paused = paused
	f.looked = time.Time{}
	f.forgetCache()
	names, err := layout.Names(ctx, f.driver, folder)
	if err != nil {
		return err
	}
	next := randomName()
	if err := f.driver.PutContent(ctx, path.Join(folder, generationPrefix+next), []byte(next)); err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, generationPrefix) {
			if err := f.remove(ctx, path.Join(folder, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Delete does so while writers are paused, unless a client counts on the digest.
func (h *Hold) Delete(ctx context.Context, d digest.Digest, do func() error) (bool, error) {
	if err := h.valid(); err != nil {
		return false, err
	}
	if err := ctx.Err(); err != nil {
		return false, context.Cause(ctx)
	}
	return h.fence.touched.delete(d, do)
}

// Touched says whether a client counts on the digest.
func (h *Hold) Touched(d digest.Digest) bool { return h.fence.touched.has(d) }

// InUse says whether a client counts on anything in a repository.
func (h *Hold) InUse(repository string) bool { return h.fence.touched.inUse(repository) }

// LongestPause is for how long writers had to wait at most.
func (h *Hold) LongestPause() time.Duration {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.longest
}

// Release ends the collection, also one that was cut off.
func (h *Hold) Release(ctx context.Context) {
	ctx = context.WithoutCancel(ctx)
	h.cancel(nil)
	<-h.ended
	h.mutex.Lock()
	paused := !h.pause.IsZero()
	h.mutex.Unlock()
	if paused {
		_ = h.Resume(ctx)
	}
	h.withdraw(ctx)
}

// withdraw leaves nothing; what it can't delete expires.
func (h *Hold) withdraw(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.fence.timing.Expiry)
	defer cancel()
	f := h.fence
	_ = f.remove(ctx, journalOf(h.self.ID))
	_ = f.remove(ctx, h.self.path())
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.own = ""
	f.forget(time.Now().Add(-f.timing.Lag))
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
