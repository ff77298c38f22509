package writes

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// changes are what a request does to tags. Other requests may change the same tags, and be answered, before
// this one is. What they did has to be passed on after what this one did.
type changes struct {
	holdBack HoldBack

	mu      sync.Mutex
	release func()
	rounds  []round
}

// round has the changes up to the first tag that comes a second time: a push writes its tags again if
// somebody may have deleted them meanwhile.
type round struct {
	// at is when the first tag was changed.
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

// changed is called for a tag while nobody else can change it.
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

// begin begins a round. It is called with the lock held.
func (c *changes) begin() {
	if c.release == nil {
		c.release = c.holdBack.Begin()
	}
	c.rounds = append(c.rounds, round{time.Now(), map[string]digest.Digest{}})
}

// all are the rounds: at least one, even if no tag was changed.
func (c *changes) all() []round {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.rounds) == 0 {
		c.begin()
	}
	return c.rounds
}

// end is called when all rounds have been told of, or if there is nothing to tell.
func (c *changes) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.release != nil {
		c.release()
		c.release = nil
	}
}
