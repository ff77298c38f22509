package fence

import (
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"
	"time"

	"container-registry/image/internal/layout"
)

const (
	// folder is beside the registry's own; no registry looks into it.
	folder            = "/container-registry-collection"
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
	// Name is of the server that collects: another process with its name is its successor.
	Name  string `json:"name"`
	Phase string `json:"phase"`
	// Beat changes as long as the holder lives.
	Beat int `json:"beat"`
}

func (h holder) path() string { return path.Join(folder, holderPrefix+h.ID) }

func journalOf(id string) string { return path.Join(folder, journalFolderName, id) }

// state is what the store says at one time.
type state struct {
	holders    []holder
	generation string
}

// other is a collection that is not this server's.
func (s state) other(own string) *holder {
	for i, h := range s.holders {
		if h.ID != own {
			return &s.holders[i]
		}
	}
	return nil
}

// sighting is since when an object has been the same.
type sighting struct {
	holder holder
	since  time.Time
}

// look reads the store. Holders that are dead are left out.
func (f *Fence) look(ctx context.Context) (state, error) {
	f.looking.Lock()
	defer f.looking.Unlock()
	return f.lookAgain(ctx)
}

// lookRecently is satisfied with what was read a moment ago.
func (f *Fence) lookRecently(ctx context.Context) (state, error) {
	f.looking.Lock()
	defer f.looking.Unlock()
	if time.Since(f.looked) < f.timing.Fresh {
		return f.last, nil
	}
	return f.lookAgain(ctx)
}

func (f *Fence) lookAgain(ctx context.Context) (state, error) {
	begun := time.Now()
	names, err := layout.Names(ctx, f.driver, folder)
	if err != nil {
		return state{}, err
	}
	var s state
	var generations []string
	seen := map[string]sighting{}
	for _, name := range names {
		if id, ok := strings.CutPrefix(name, generationPrefix); ok {
			generations = append(generations, id)
		}
		id, ok := strings.CutPrefix(name, holderPrefix)
		if !ok || strings.Contains(id, ".") {
			// Some drivers write a file under another name first.
			continue
		}
		h, err := f.read(ctx, holder{ID: id})
		if err != nil {
			return state{}, err
		}
		if h != nil && f.lives(*h, seen) {
			s.holders = append(s.holders, *h)
		}
	}
	f.seen = seen
	// One, or several after a holder died between writing and deleting.
	slices.Sort(generations)
	s.generation = strings.Join(generations, "+")
	f.last, f.looked = s, begun
	f.follow(s)
	return s, nil
}

// read is nil for a holder that is gone.
func (f *Fence) read(ctx context.Context, h holder) (*holder, error) {
	content, err := f.driver.GetContent(ctx, h.path())
	if layout.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// What can't be read is a holder all the same; it expires.
	_ = json.Unmarshal(content, &h)
	return &h, nil
}

// lives says whether a holder may still be alive, and notes in seen what it goes by.
func (f *Fence) lives(h holder, seen map[string]sighting) bool {
	if h.ID == f.ownID() {
		return true
	}
	if h.Name == f.name {
		// There is but one process of this name, and it is this one.
		return false
	}
	before, ok := f.seen[h.ID]
	if !ok || before.holder != h {
		before = sighting{h, time.Now()}
	}
	seen[h.ID] = before
	return time.Since(before.since) < f.timing.Expiry
}

// follow does with the cache what the collection of another server asks for: nothing is
// believed while it deletes, and nothing from before is believed after that.
func (f *Fence) follow(s state) {
	if f.paused {
		return
	}
	if other := s.other(f.ownID()); other != nil && other.Phase == phaseSweep {
		f.forgetCache()
	} else if s.generation != f.generation {
		f.generation = s.generation
		f.caches.Begin(s.generation)
		f.blind.Store(false)
	}
}

// stopped is no generation's name.
const stopped = "-"
