package fence

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"time"

	"container-registry/server/internal/layout"
)

const (
	folder            = layout.Collections
	holderPrefix      = "holder-"
	generationPrefix  = "generation-"
	phaseClaim        = "claim"
	phaseMark         = "mark"
	phaseSweep        = "sweep"
	journalFolderName = "journal"
)

// holder is the object of a collection under way.
type holder struct {
	ID string `json:"id"`
	// Name is that of the server that collects. Another process with this name is its successor.
	Name  string `json:"name"`
	Phase string `json:"phase"`
	// Beat keeps changing as long as the holder lives.
	Beat int `json:"beat"`
}

func (h holder) path() string { return path.Join(folder, holderPrefix+h.ID) }

func journalOf(id string) string { return path.Join(folder, journalFolderName, id) }

// state is what a look at the store finds.
type state struct {
	holders []holder
	// generations is one, or several if a holder died after writing a new one and before deleting
	// the old ones.
	generations []string
	// untaggings are the tags whose deletion is under way, and stale the names of objects that
	// dead servers left of such deletions.
	untaggings, stale []string
}

// others are the collections of other servers.
func (f *Fence) others(s state) []holder {
	own := f.ownID()
	return slices.DeleteFunc(slices.Clone(s.holders), func(h holder) bool { return h.ID == own })
}

// swept says whether any other server's collection deletes, or may do so.
func (f *Fence) swept(s state) bool {
	return slices.ContainsFunc(f.others(s), func(h holder) bool { return h.Phase == phaseSweep })
}

// sighting is an object, and since when it has been the same.
type sighting struct {
	holder holder
	since  time.Duration
}

// look reads the store. Holders that are dead are left out.
func (f *Fence) look() (state, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), f.timing.Expiry/2, errSilent)
	defer cancel()
	f.mutex.Lock()
	epoch := f.epoch
	f.mutex.Unlock()
	var s state
	gone, seen := map[string]bool{}, map[string]sighting{}
	for again := true; again; {
		var err error
		if s, again, err = f.lookOnce(ctx, gone, seen); err != nil {
			// The cause says more than a driver's error about a context that ended.
			return state{}, cmp.Or(context.Cause(ctx), err)
		}
	}
	f.seen = seen
	f.follow(s, epoch)
	return s, nil
}

// lookOnce asks for another look if a holder has gone since it was listed: the generation that it left
// may also have been written since the listing.
func (f *Fence) lookOnce(ctx context.Context, gone map[string]bool, seen map[string]sighting) (s state, again bool, err error) {
	names, err := layout.SureNames(ctx, f.driver, folder)
	if err != nil {
		return s, false, err
	}
	for _, name := range names {
		if id, ok := strings.CutPrefix(name, generationPrefix); ok {
			s.generations = append(s.generations, id)
		}
		f.sightUntagging(&s, name, seen)
		id, ok := strings.CutPrefix(name, holderPrefix)
		if !ok || gone[id] || strings.Contains(id, ".") {
			// Some drivers first write a file under another name, and some list files that are gone.
			continue
		}
		h, err := f.read(ctx, id)
		switch {
		case err != nil:
			return s, false, err
		case h == nil:
			gone[id], again = true, true
		case f.lives(*h, seen):
			s.holders = append(s.holders, *h)
		}
	}
	slices.Sort(s.generations)
	return s, again, nil
}

// read returns nil for a holder that is gone, even if a folder still lists it, as on NFS. A holder that
// can't be parsed may be deleting. It expires like any other.
func (f *Fence) read(ctx context.Context, id string) (*holder, error) {
	content, err := layout.Twice(f.driver).GetContent(ctx, holder{ID: id}.path())
	if layout.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var h holder
	err = json.Unmarshal(content, &h)
	if h.ID = id; err != nil || h.Phase != phaseClaim && h.Phase != phaseMark {
		h.Phase = phaseSweep
	}
	return &h, nil
}

// lives says whether a holder may still be alive, and notes in seen when it last changed.
func (f *Fence) lives(h holder, seen map[string]sighting) bool {
	if h.ID == f.ownID() {
		return true
	}
	if h.Name == f.name && h.Phase != phaseSweep {
		// Only one process has this name, and it is this one. The store may still carry out the
		// last requests of its predecessor, but only a sweep deletes what somebody may need.
		return false
	}
	return f.sight(h.ID, h, seen)
}

// sight notes in seen since when an object has been the same, and says whether its owner may still be
// alive.
func (f *Fence) sight(name string, h holder, seen map[string]sighting) bool {
	before, ok := f.seen[name]
	if !ok || before.holder != h {
		before = sighting{h, f.clock()}
	}
	seen[name] = before
	return f.clock()-before.since < f.timing.Expiry
}

// follow does with the cache what the collection of another server requires: while it deletes, nothing
// cached is believed, and after that nothing that was cached before.
func (f *Fence) follow(s state, epoch int) {
	swept := f.swept(s)
	generation := strings.Join(s.generations, "+")
	f.mutex.Lock()
	defer f.mutex.Unlock()
	switch {
	case f.paused || f.epoch != epoch:
	case swept:
		f.forgetCache()
	case generation != f.generation:
		f.generation = generation
		f.caches.Begin(generation)
		f.blind.Store(false)
	}
}

// stopped is not the name of any generation.
const stopped = "-"

// unchanged says whether nothing can have been deleted between two looks, except by the confirmed
// holders, which take the manifest in question into account.
func (f *Fence) unchanged(before, after state, confirmed map[string]bool) bool {
	for _, h := range f.others(after) {
		if h.Phase != phaseClaim && !confirmed[h.ID] {
			return false
		}
	}
	if slices.Equal(before.generations, after.generations) {
		return true
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	news := slices.DeleteFunc(slices.Clone(after.generations), func(generation string) bool { return slices.Contains(before.generations, generation) })
	return len(news) > 0 && !slices.ContainsFunc(news, func(generation string) bool {
		author, _, _ := strings.Cut(generation, ".")
		return !confirmed[author] && !f.mine[author]
	})
}

// nextGeneration has all servers forget what they cached. It is called before anything
// is deleted, because the holder may die, and again afterwards, because reads go on meanwhile.
//
// Only a generation without an author may replace those of others: a push that trusts the author would
// not learn of the generations that were replaced.
func (f *Fence) nextGeneration(ctx context.Context, author string, replaces func(name string) bool) error {
	names, err := layout.Names(ctx, f.driver, folder)
	if err != nil {
		return err
	}
	next := author + "." + rand.Text()
	if err := f.put(ctx, path.Join(folder, generationPrefix+next), []byte(next)); err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, generationPrefix) && replaces(name) {
			if err := f.remove(ctx, path.Join(folder, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// nextGeneration of a collection leaves the generations that others have begun since: another collection
// while this one was suspended, or a client's deletion from a repository. The next collection knows them.
func (h *Hold) nextGeneration(ctx context.Context) error {
	return h.fence.nextGeneration(ctx, h.self.ID, func(name string) bool {
		return (h.known[name] || strings.HasPrefix(name, generationPrefix+h.self.ID+".")) && h.valid() == nil
	})
}

// forgetAll begins a generation that nobody trusts.
func (f *Fence) forgetAll(ctx context.Context) error {
	return f.nextGeneration(ctx, rand.Text(), func(string) bool { return true })
}
