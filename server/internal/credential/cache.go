package credential

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"container-registry/server/internal/htpasswd"
)

// key stands for a user and a password. It is a MAC under a key of this process, so
// it gives away neither of them, and as nobody can choose it, the time of a lookup
// tells nothing either.
type key [sha256.Size]byte

// cache remembers the credentials that were right, for one state of the users. It has no
// entries where it is to remember none.
type cache struct {
	ttl time.Duration

	mu      sync.Mutex
	state   [sha256.Size]byte
	entries *simplelru.LRU[key, *entry]
}

type entry struct {
	password     htpasswd.Password
	checked, end time.Time
}

// longest is how long a credential in use is not checked again. Who guesses from the same
// address has it refused then.
const longest = 24 * time.Hour

func newCache(size int, ttl time.Duration) *cache {
	c := &cache{ttl: ttl}
	if size > 0 && ttl > 0 {
		// It fails for sizes below 1 only.
		c.entries, _ = simplelru.NewLRU[key, *entry](size, nil)
	}
	return c
}

// holds tells whether the credential was right not long ago, for this state of the
// users, and which password it was. Any other state empties the cache.
func (c *cache) holds(state [sha256.Size]byte, k key, now time.Time) (htpasswd.Password, bool) {
	if c.entries == nil {
		return "", false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if state != c.state {
		c.state = state
		c.entries.Purge()
		return "", false
	}
	e, ok := c.entries.Get(k)
	if !ok {
		return "", false
	}
	if !now.Before(e.end) {
		c.entries.Remove(k)
		return "", false
	}
	if extended := now.Add(c.ttl); extended.Before(e.checked.Add(longest)) {
		e.end = extended
	}
	return e.password, true
}

// add remembers a credential, unless the users changed since it was checked.
func (c *cache) add(state [sha256.Size]byte, k key, password htpasswd.Password, now time.Time) {
	if c.entries == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if state == c.state {
		c.entries.Add(k, &entry{password, now, now.Add(c.ttl)})
	}
}
