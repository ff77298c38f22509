package writes

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// changes are what a request does to tags. Others may change them before it has its answer, and
// have theirs: what they did is to be passed on after it.
type changes struct {
	holdBack HoldBack

	mu      sync.Mutex
	release func()
	rounds  []round
}

// round is what was done until a tag came once more: a push writes its tags again when somebody
// may have deleted them meanwhile.
type round struct {
	// at is the time of the first tag.
	at   time.Time
	from map[string]digest.Digest
}

// tags are in the order of their names.
func (r round) tags() []TagChange {
	var list []TagChange
	for _, name := range slices.Sorted(maps.Keys(r.from)) {
		list = append(list, TagChange{name, r.from[name]})
	}
	return list
}

// changed is told of a tag while nobody else can change it.
func (c *changes) changed(tag string, from digest.Digest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	again := true
	if len(c.rounds) > 0 {
		_, again = c.rounds[len(c.rounds)-1].from[tag]
	}
	if again {
		c.begin()
	}
	c.rounds[len(c.rounds)-1].from[tag] = from
}

// begin is a round's, with the lock held.
func (c *changes) begin() {
	if c.release == nil {
		c.release = c.holdBack.Begin()
	}
	c.rounds = append(c.rounds, round{time.Now(), map[string]digest.Digest{}})
}

// all are one at least, also where no tag was changed.
func (c *changes) all() []round {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.rounds) == 0 {
		c.begin()
	}
	return c.rounds
}

// end is when all were told, or when there is nothing to tell.
func (c *changes) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.release != nil {
		c.release()
		c.release = nil
	}
}
