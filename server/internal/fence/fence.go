package fence

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/boottime"
	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/touched"
	"container-registry/server/internal/traits"
)

// Timing has the periods and timeouts of a fence.
type Timing struct {
	// Beat is the time between two renewals of a collection's object, and Expiry how long one lasts
	// that is not renewed.
	Beat, Expiry time.Duration
	// Fresh is how old a writer's knowledge of the store may be before it begins.
	Fresh time.Duration
	// Settle is how long a collection waits after it announced a pause, for a store whose
	// listings lag behind.
	Settle time.Duration
	// Patience is how long a write waits for the end of a pause before it gets 503, in addition to
	// the time that a slow store takes for its bytes.
	Patience time.Duration
	// Lag is how far the store's listings may lag behind.
	Lag time.Duration
	// Remember is how long a blob is kept for a client that was told it exists.
	Remember time.Duration
}

// TimingOf is the timing that suits a storage driver.
func TimingOf(driver string) Timing {
	t := Timing{
		Beat:     3 * time.Second,
		Expiry:   20 * time.Second,
		Fresh:    500 * time.Millisecond,
		Patience: 10 * time.Second,
		Remember: time.Hour,
	}
	if t.Lag = traits.Of[driver].Lag; t.Lag > 0 {
		t.Settle = 5 * time.Second
	}
	return t
}

// Generations are caches that forget what they knew before a deletion.
type Generations interface {
	Begin(generation string)
	Stop()
	Pin(ctx context.Context) context.Context
	Renew(ctx context.Context)
	// Doubt has a request believe nothing that is cached, and forgets what is known of these digests, in the
	// repository and in general. What is cached for other repositories stays.
	Doubt(ctx context.Context, repository string, ds ...digest.Digest)
}

// NoCache is for a process that serves no clients.
type NoCache struct{}

// Begin does nothing.
func (NoCache) Begin(string) {}

// Stop does nothing.
func (NoCache) Stop() {}

// Pin does nothing.
func (NoCache) Pin(ctx context.Context) context.Context { return ctx }

// Renew does nothing.
func (NoCache) Renew(context.Context) {}

// Doubt does nothing.
func (NoCache) Doubt(context.Context, string, ...digest.Digest) {}

// Pushed is a manifest that a client pushed.
type Pushed struct {
	Repository string `json:"repository"`
	// Reference is the tag or digest that it was pushed by.
	Reference string `json:"reference"`
	// Tags are those that it was given in a push by its digest.
	Tags   []string      `json:"tags,omitempty"`
	Digest digest.Digest `json:"digest"`
	// Manifest tells what it needs.
	Manifest *manifest.Manifest `json:"manifest"`
	at       time.Time
	// told says that this server's collection that is under way knows of it.
	told bool
}

// Named are the tags it was pushed by.
func (p Pushed) Named() []string {
	if p.Reference == p.Digest.String() {
		return p.Tags
	}
	return append(slices.Clone(p.Tags), p.Reference)
}

// Clock is the time since some fixed moment. It goes on while the machine is suspended.
type Clock func() time.Duration

// Fence is one server's part of the protocol that the package describes.
type Fence struct {
	driver storagedriver.StorageDriver
	name   string
	timing Timing
	caches Generations
	clock  Clock
	// began is when it started to remember what clients are told.
	began time.Time

	gate    *gate
	touched *touched.Set
	doubts  *doubts
	tags    *enginestore.TagLocks
	looks   *looks
	// seen is used only by the look that is under way.
	seen map[string]sighting
	// blind says that there is no cache until the next look.
	blind atomic.Bool
	// spent says that the spare is gone.
	spent atomic.Bool

	mutex sync.Mutex
	// own is this server's collection that is under way, and mine are all that it ever had.
	own  string
	mine map[string]bool
	// pushed are in the order of their times.
	pushed []Pushed
	// generation is that of the cache.
	generation string
	// paused says that this server's own collection deletes.
	paused bool
	// epoch is raised to have the result of a look that is under way ignored.
	epoch int
}

// New makes the fence of a server. No other process on the same store may have its name,
// except for one that is dead.
func New(driver storagedriver.StorageDriver, name string, timing Timing, caches Generations) *Fence {
	return NewWithClock(driver, name, timing, caches, boottime.Now)
}

// NewWithClock is for simulated machines.
func NewWithClock(driver storagedriver.StorageDriver, name string, timing Timing, caches Generations, clock Clock) *Fence {
	f := &Fence{
		driver:  patient{driver},
		name:    name,
		timing:  timing,
		caches:  caches,
		clock:   clock,
		began:   time.Now(),
		gate:    newGate(),
		touched: touched.New(timing.Remember),
		doubts:  &doubts{remember: timing.Remember, found: map[doubt]finding{}},
		tags:    enginestore.NewTagLocks(),
		seen:    map[string]sighting{},
		mine:    map[string]bool{},
	}
	f.looks = &looks{read: f.look, fresh: timing.Fresh}
	f.forgetCache()
	return f
}

// forgetCache stops the cache until the next look begins a generation. It is called with the lock held.
func (f *Fence) forgetCache() {
	f.generation = stopped
	f.caches.Stop()
	f.blind.Store(!f.paused)
}

// setPaused says whether this server's own collection deletes.
func (f *Fence) setPaused(paused bool) {
	f.mutex.Lock()
	f.paused = paused
	f.epoch++
	f.forgetCache()
	f.mutex.Unlock()
	f.looks.forget()
}

func (f *Fence) ownID() string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.own
}

// InUse says whether a client counts on anything in a repository.
func (f *Fence) InUse(repository string) bool { return f.touched.InUse(repository) }

// Touched says whether a client counts on the digest.
func (f *Fence) Touched(d digest.Digest) bool { return f.touched.Has(d) }

// Forgotten is a span of time: what clients were told in it, only a process that is gone knew, and they may
// still come back for it. It is empty once they no longer may.
func (f *Fence) Forgotten(now time.Time) (after, until time.Time) {
	if now.Sub(f.began) >= f.timing.Remember {
		return f.began, f.began
	}
	return f.began.Add(-f.timing.Remember), f.began
}

// notePush remembers a manifest for a collection of this server that is under way, or
// that begins before the store's listings show it.
func (f *Fence) notePush(p Pushed) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	p.at = time.Now()
	f.pushed = append(f.pushed, p)
	if f.own == "" {
		f.forget(p.at.Add(-f.timing.Lag))
	}
}

// forget is called with the lock held.
func (f *Fence) forget(before time.Time) {
	n := 0
	for n < len(f.pushed) && f.pushed[n].at.Before(before) {
		n++
	}
	f.pushed = slices.Delete(f.pushed, 0, n)
}

// unlisted are the tags by which a manifest was pushed through this server so recently that the store's
// listings, in which the engine looks for them, may not show them yet.
func (f *Fence) unlisted(repository string, d digest.Digest) (names []string) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, p := range f.pushed {
		if p.Repository == repository && p.Digest == d {
			names = append(names, p.Named()...)
		}
	}
	return names
}

// noteDeletion forgets a manifest that a client deleted, if it was pushed before the deletion began.
func (f *Fence) noteDeletion(repository string, d digest.Digest, began time.Time) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.pushed = slices.DeleteFunc(f.pushed, func(p Pushed) bool {
		return p.Repository == repository && p.Digest == d && p.at.Before(began)
	})
}

// takePushed is what was pushed since the collection last called it. It is remembered for as long as
// listings lag: a collection that begins before they show it has to be told as well.
func (f *Fence) takePushed() []Pushed {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	var taken []Pushed
	for i := range f.pushed {
		if p := &f.pushed[i]; !p.told {
			p.told = true
			taken = append(taken, *p)
		}
	}
	f.forget(time.Now().Add(-f.timing.Lag))
	return taken
}

// ErrLost says that another collection may have begun, because the store gave no answer for too long or the
// machine stood still.
var ErrLost = errors.New("the collection ends here, and the next one goes on: its object in the store was not renewed in time")

var errUnanswered = errors.New("the store gave no answer to a deletion, which it may still carry out; writers wait until that can't be any more")
