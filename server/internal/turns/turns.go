// Package turns bounds what folders that clients fill take of the memory while they are listed.
package turns

import (
	"context"
	"path"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/layout"
)

// Turns are those of one server. A driver has all of a folder in memory before it says anything:
// some 400 bytes an entry. The list before tells how many to expect. Small ones go many at a time, which
// is as good as at once; large ones one at a time, so that they wait for nobody but one another; and
// those that may be anything a few at a time.
type Turns struct {
	many, few, alone bounds.Places
	listings         *lru.Cache[string, listing]
}

// listing is how many entries a folder had, and when.
type listing struct {
	entries int
	at      time.Time
}

const (
	small, large = 1000, 10_000
	// brief is how long a folder is taken for small: clients may fill it meanwhile.
	brief = time.Minute
	// remembered is how many folders are known.
	remembered = 4096
)

// New makes turns for a server that may use so many bytes.
func New(memory int64) *Turns {
	// It fails for sizes below 1 only.
	listings, _ := lru.New[string, listing](remembered)
	return &Turns{
		many:     make(bounds.Places, max(32, memory/(4<<20))),
		few:      make(bounds.Places, max(4, memory/(100<<20))),
		alone:    make(bounds.Places, 1),
		listings: listings,
	}
}

func (t *Turns) placesFor(folder string) bounds.Places {
	last, _ := t.listings.Get(folder)
	switch {
	case last.entries > large:
		return t.alone
	case last.entries <= small && time.Since(last.at) < brief:
		return t.many
	}
	return t.few
}

// InTurn is for who lists such a folder for clients or people. It says how many entries there are, also
// where they are too many for it.
func (t *Turns) InTurn(ctx context.Context, folder string, list func() (entries int, err error)) error {
	places := t.placesFor(folder)
	if err := places.Take(ctx); err != nil {
		return err
	}
	if t.placesFor(folder) != places {
		// It was listed while this one waited.
		places.Leave()
		return t.InTurn(ctx, folder, list)
	}
	defer places.Leave()
	entries, err := list()
	if err == nil || entries > 0 {
		t.listings.Add(folder, listing{entries, time.Now()})
	}
	return err
}

// UseDigests has the digests used that a folder of links has entries for, in turn, those of one
// algorithm at a time. How many are kept is for use to bound.
func (t *Turns) UseDigests(ctx context.Context, driver storagedriver.StorageDriver, folder string, use func([]digest.Digest) error) error {
	algorithms, err := layout.Names(ctx, driver, folder)
	if err != nil {
		return err
	}
	for _, algorithm := range algorithms {
		err := t.InTurn(ctx, path.Join(folder, algorithm), func() (int, error) {
			found, err := layout.DigestsOf(ctx, driver, folder, algorithm)
			if err != nil {
				return 0, err
			}
			return len(found), use(found)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
