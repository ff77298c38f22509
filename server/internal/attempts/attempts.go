// Package attempts counts failed logins by client address and user name.
package attempts

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// most is the number of counters. Beyond it the one that failed longest ago is forgotten,
// which costs an attacker as many addresses.
const most = 10_000

// names is how many times its limit an address has for all names together.
const names = 5

// Limiter refuses a name from an address after too many failures, for the rest of the
// window that began with the first one. All clients of a node may have one address, so
// one of them with an old password is not to lock out others. Names that are no user's
// count like all others: the answer says nothing about who is one.
type Limiter struct {
	limit  int
	window time.Duration

	mu      sync.Mutex
	seed    maphash.Seed
	entries *simplelru.LRU[key, *entry]
}

// key is an address with a name, or with all of them.
type key struct {
	address netip.Prefix
	named   bool
	name    uint64
}

type entry struct {
	failures int
	end      time.Time
}

// New makes a limiter; a limit of 0 never refuses.
func New(limit int, window time.Duration) *Limiter {
	// It fails for sizes below 1 only.
	entries, _ := simplelru.NewLRU[key, *entry](most, nil)
	return &Limiter{limit: limit, window: window, seed: maphash.MakeSeed(), entries: entries}
}

// Refused says how long a name from an address has to wait, 0 when it has not.
func (l *Limiter) Refused(address netip.Prefix, name string, now time.Time) time.Duration {
	if l.limit == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(l.wait(l.named(address, name), l.limit, now), l.wait(key{address: address}, l.limit*names, now))
}

func (l *Limiter) named(address netip.Prefix, name string) key {
	return key{address, true, maphash.String(l.seed, name)}
}

func (l *Limiter) wait(k key, limit int, now time.Time) time.Duration {
	// Only failures make a counter younger.
	e, ok := l.entries.Peek(k)
	if !ok || e.failures < limit {
		return 0
	}
	return max(0, e.end.Sub(now))
}

// Fail counts a failure.
func (l *Limiter) Fail(address netip.Prefix, name string, now time.Time) {
	if l.limit == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count(l.named(address, name), now)
	l.count(key{address: address}, now)
}

func (l *Limiter) count(k key, now time.Time) {
	e, ok := l.entries.Get(k)
	if !ok {
		e = &entry{end: now.Add(l.window)}
		l.entries.Add(k, e)
	}
	if !now.Before(e.end) {
		e.failures, e.end = 0, now.Add(l.window)
	}
	e.failures++
}
