package credential

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"
)

// key stands for a user and a password. It is a MAC under a key of this process, so
// it gives away neither of them, and as nobody can choose it, the time of a lookup
// tells nothing either.
type key [sha256.Size]byte

// cache remembers the credentials that were right, for one state of the users.
type cache struct {
	size int
	ttl  time.Duration

	mu      sync.Mutex
	state   [sha256.Size]byte
	entries map[key]*list.Element
	order   *list.List // of *entry, the latest use first
}

type entry struct {
	key          key
	checked, end time.Time
}

// longest is how long a credential in use is not checked again. Who guesses from the same
// address has it refused then.
const longest = 24 * time.Hour

func newCache(size int, ttl time.Duration) *cache {
	return &cache{size: size, ttl: ttl, entries: map[key]*list.Element{}, order: list.New()}
}

// holds tells whether the credential was right not long ago, for this state of the
// users. Any other state empties the cache.
func (c *cache) holds(state [sha256.Size]byte, k key, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state != c.state {
		c.state = state
		clear(c.entries)
		c.order.Init()
		return false
	}
	element, ok := c.entries[k]
	if !ok {
		return false
	}
	e := element.Value.(*entry)
	if !now.Before(e.end) {
		c.remove(element)
		return false
	}
	if extended := now.Add(c.ttl); extended.Before(e.checked.Add(longest)) {
		e.end = extended
	}
	c.order.MoveToFront(element)
	return true
}

// add remembers a credential, unless the users changed since it was checked.
func (c *cache) add(state [sha256.Size]byte, k key, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if state != c.state || c.size == 0 || c.ttl == 0 {
		return
	}
	if element, ok := c.entries[k]; ok {
		c.remove(element)
	}
	if c.order.Len() >= c.size {
		c.remove(c.order.Back())
	}
	c.entries[k] = c.order.PushFront(&entry{k, now, now.Add(c.ttl)})
}

func (c *cache) remove(element *list.Element) {
	delete(c.entries, element.Value.(*entry).key)
	c.order.Remove(element)
}
