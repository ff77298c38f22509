// Package holdings knows how much the repositories of a store hold, without looking into
// the store when it is asked.
//
// All is counted once at the start, in the background, and again every so often. In between,
// a repository that clients wrote to is counted anew: those of this server right away, and
// those of other servers of the store once they have told of it. A number per repository and
// a few bytes per blob are kept, no names of tags and no digests.
package holdings

import (
	"cmp"
	"context"
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/writes"
)

// Repository is what a repository holds.
type Repository struct {
	Name            string
	Tags, Manifests int
	// Bytes are those of its manifests and blobs. What others have as well counts, and so
	// does what was deleted and no collection has taken away yet.
	Bytes int64
	// LastPush is of the manifest or tag that was written last; zero when nothing is left.
	LastPush time.Time
}

// Total is what the store holds. Blobs that repositories share count once.
type Total struct {
	Repositories, Tags, Manifests, Blobs int
	Bytes                                int64
}

// Holdings are those of one store.
type Holdings struct {
	driver storagedriver.StorageDriver
	log    *logrus.Entry
	seed   maphash.Seed
	// settle is how long a repository is left alone after a write, as more may follow.
	settle time.Duration
	// written and stale wake Run up.
	written, stale chan struct{}
	// others are nil for a store that is no other server's.
	others *others
	// resting is until when a repository is not counted again; only Run uses it.
	resting map[string]time.Time

	mutex        sync.Mutex
	repositories map[string]Repository
	// sorted are the repositories by name; nil when they changed since.
	sorted []Repository
	// changed are the repositories that were written to since they were counted.
	changed map[string]bool
	// sizes are by a hash of the digest: a million of them have to fit into memory.
	sizes map[uint64]sized
	// bytes are the sum of sizes.
	bytes int64
	// begun and ended are of the last count of all that was completed.
	begun, ended time.Time
	counts       uint32
}

// sized is a blob.
type sized struct {
	bytes int64
	// seen is the last count that saw it.
	seen uint32
}

// Of are the holdings of a store. Nothing is known before Run.
func Of(driver storagedriver.StorageDriver, log *logrus.Entry) *Holdings {
	return &Holdings{
		driver:       driver,
		log:          log,
		seed:         maphash.MakeSeed(),
		settle:       time.Second,
		written:      make(chan struct{}, 1),
		stale:        make(chan struct{}, 1),
		resting:      map[string]time.Time{},
		repositories: map[string]Repository{},
		changed:      map[string]bool{},
		sizes:        map[uint64]sized{},
	}
}

// Repositories are sorted by name, and not to be changed by the caller.
func (h *Holdings) Repositories() []Repository {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.sorted == nil {
		h.sorted = slices.SortedFunc(maps.Values(h.repositories), func(a, b Repository) int {
			return cmp.Compare(a.Name, b.Name)
		})
	}
	return h.sorted
}

// Total is of all of them.
func (h *Holdings) Total() Total {
	repositories := h.Repositories()
	h.mutex.Lock()
	total := Total{Repositories: len(repositories), Blobs: len(h.sizes), Bytes: h.bytes}
	h.mutex.Unlock()
	for _, r := range repositories {
		total.Tags += r.Tags
		total.Manifests += r.Manifests
	}
	return total
}

// At is when all was counted last; false while that was never done to the end.
func (h *Holdings) At() (time.Time, bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.ended, !h.ended.IsZero()
}

// Observe has a repository counted anew soon after a client wrote to it. A blob alone is
// no news: a manifest follows.
func (h *Holdings) Observe(_ context.Context, w writes.Write) {
	if w.Action == writes.Push && w.Kind == writes.Blob {
		return
	}
	h.Changed(w.Repository)
}

// Changed has a repository counted anew soon, by every server.
func (h *Holdings) Changed(repository string) {
	h.change(repository)
	h.tellOthers(repository)
}

func (h *Holdings) change(repository string) {
	h.mutex.Lock()
	h.changed[repository] = true
	h.mutex.Unlock()
	wake(h.written)
}

// Refresh has all counted anew soon, by every server, after a collection.
func (h *Holdings) Refresh() {
	wake(h.stale)
	h.tellOthers(everything)
}

func (h *Holdings) tellOthers(name string) {
	if h.others != nil {
		h.others.add(name)
	}
}

func wake(channel chan struct{}) {
	select {
	case channel <- struct{}{}:
	default:
	}
}
