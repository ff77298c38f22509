// Package holdings knows how much the repositories of a store hold, without looking into
// the store when it is asked.
//
// Everything is counted once at the start, in the background, and again every so often. In between,
// a repository that clients wrote to is counted anew: right away if they wrote through this server, and
// once the other server has told of it if they wrote through another one. Only numbers per repository
// and a few bytes per blob are kept, no names of tags and no digests.
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
	// Bytes are those of its manifests and blobs. Blobs that other repositories have as well count, and so
	// does what was deleted but not yet collected.
	Bytes int64
	// LastPush is when its latest manifest or tag was written; zero if it has none.
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
	// settle is how long a repository is left alone after a write, because more may follow.
	settle time.Duration
	// written and stale wake Run up.
	written, stale chan struct{}
	// others is nil for a store that no other server uses.
	others *others
	// resting is until when a repository is not counted again. Only Run uses it.
	resting map[string]time.Time

	mutex        sync.Mutex
	repositories map[string]Repository
	// sorted are the repositories by name. It is nil if they have changed since.
	sorted []Repository
	// changed are the repositories that were written to since they were last counted.
	changed map[string]bool
	// sizes are by a hash of the digest: those of a million blobs have to fit into memory.
	sizes map[uint64]sized
	// bytes are the sum of sizes.
	bytes int64
	// begun and ended are the times of the last complete count of everything.
	begun, ended time.Time
	counts       uint32
}

// sized is a blob.
type sized struct {
	bytes int64
	// seen is the number of the last count that saw it.
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

// Repositories are sorted by name. The caller must not change the list.
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

// Total is the sum of all repositories.
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

// At is when everything was last counted; false if no such count has been completed.
func (h *Holdings) At() (time.Time, bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.ended, !h.ended.IsZero()
}

// Observe has a repository counted anew soon after a client wrote to it. A pushed blob is left out: a
// manifest follows.
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

// Refresh has everything counted anew soon, by every server, after a collection.
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
