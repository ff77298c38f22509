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

// Timing is how long things take.
type Timing struct {
	// Beat is how often a collection renews its object; Expiry how long one lasts without.
	Beat, Expiry time.Duration
	// Fresh is how old a writer's knowledge of the store may be before it begins.
	Fresh time.Duration
	// Settle is how long a collection waits after it announced a pause, for a store whose
	// listings lag behind.
	Settle time.Duration
	// Patience is how long a write waits for the end of a pause before it gets 503, beside the time
	// that a slow store takes for its bytes.
	Patience time.Duration
	// Lag is how far the store's listings are behind.
	Lag time.Duration
	// Remember is how long a blob is kept for a client that was told it exists.
	Remember time.Duration
}

// TimingOf suits a storage driver.
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
	// Doubt has a request believe nothing, and forgets what is known of these of a repository, and
	// of all. What other repositories know by themselves stays.
	Doubt(ctx context.Context, repository string, ds ...digest.Digest)
}

// NoCache is for who serves nobody.
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
	// Reference is the tag or digest it was pushed by.
	Reference string `json:"reference"`
	// Tags are those it was given with a digest for its reference.
	Tags   []string      `json:"tags,omitempty"`
	Digest digest.Digest `json:"digest"`
	// Manifest is what it needs.
	Manifest *manifest.Manifest `json:"manifest"`
	at       time.Time
	// told says that this server's collection under way knows of it.
	told bool
}

// Named are the tags it was pushed by.
func (p Pushed) Named() []string {
	if p.Reference == p.Digest.String() {
		return p.Tags
	}
	return append(slices.Clone(p.Tags), p.Reference)
}

// Clock is the time since any moment. It goes on while the machine is suspended.
type Clock func() time.Duration

// Fence is one server's part.
type Fence struct {
	driver storagedriver.StorageDriver
	name   string
	timing Timing
	caches Generations
	clock  Clock
	// began is since when it remembers what clients were told.
	began time.Time

	gate    *gate
	touched *touched.Set
	doubts  *doubts
	tags    *enginestore.TagLocks
	looks   *looks
	// seen is only for the look under way.
	seen map[string]sighting
	// blind says that there is no cache until the next look.
	blind atomic.Bool
	// spent says that the spare is gone.
	spent atomic.Bool

	mutex sync.Mutex
	// own is this server's collection under way, and mine are all it ever had.
	own  string
	mine map[string]bool
	// pushed are in the order of their times.
	pushed []Pushed
	// generation is the one of the cache.
	generation string
	// paused says that this server's own collection deletes.
	paused bool
	// epoch is raised when a look that is under way must not be followed.
	epoch int
}

// New makes the fence of a server. No other process on the same store may have its name,
// except for one that is dead.
func New(driver storagedriver.StorageDriver, name string, timing Timing, caches Generations) *Fence {
	return NewWithClock(driver, name, timing, caches, boottime.Now)
}

// NewWithClock is for machines that are not real.
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

// forgetCache lets the next look begin a generation. It is called with the lock held.
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

// Forgotten is the time, after one moment and until another, of which only a process that is gone
// knew what clients were told, while they may come back for it: none when they no longer may.
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

// unlisted are tags by which this server has pushed a manifest so lately that the store's listings, by which the engine
// finds them, may not show them.
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

// noteDeletion lets go of a manifest that a client deleted, and had pushed before that began.
func (f *Fence) noteDeletion(repository string, d digest.Digest, began time.Time) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.pushed = slices.DeleteFunc(f.pushed, func(p Pushed) bool {
		return p.Repository == repository && p.Digest == d && p.at.Before(began)
	})
}

// takePushed is what was pushed since the collection called it last. The next one that begins
// before the store's listings show it has to know it too.
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

// ErrLost says that another collection may have begun: the store gave no answer for too long, or the machine stood still.
var ErrLost = errors.New("the collection ends here, and the next one goes on: its object in the store was not renewed in time")

var errUnanswered = errors.New("the store gave no answer to a deletion, which it may still carry out; writers wait until that can't be any more")
