// Package attempts counts failed logins by client address.
package attempts

import (
	"container/list"
	"net/netip"
	"sync"
	"time"
)

// most is the number of addresses remembered. Beyond it the one that failed longest
// ago is forgotten, which costs an attacker as many addresses.
const most = 10_000

// Limiter refuses an address after too many failures, for the rest of the window
// that began with the first one.
type Limiter struct {
	limit  int
	window time.Duration

	mu      sync.Mutex
	entries map[netip.Prefix]*list.Element
	order   *list.List // of *entry, the latest failure first
}

type entry struct {
	address  netip.Prefix
	failures int
	end      time.Time
}

// New makes a limiter; a limit of 0 never refuses.
func New(limit int, window time.Duration) *Limiter {
	return &Limiter{limit: limit, window: window, entries: map[netip.Prefix]*list.Element{}, order: list.New()}
}

// Refused says how long the address has to wait, 0 when it has not.
func (l *Limiter) Refused(address netip.Prefix, now time.Time) time.Duration {
	if l.limit == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	element, ok := l.entries[address]
	if !ok || element.Value.(*entry).failures < l.limit {
		return 0
	}
	return max(0, element.Value.(*entry).end.Sub(now))
}

// Fail counts a failure.
func (l *Limiter) Fail(address netip.Prefix, now time.Time) {
	if l.limit == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	element, ok := l.entries[address]
	if !ok {
		if l.order.Len() >= most {
			oldest := l.order.Back()
			delete(l.entries, oldest.Value.(*entry).address)
			l.order.Remove(oldest)
		}
		element = l.order.PushFront(&entry{address: address, end: now.Add(l.window)})
		l.entries[address] = element
	}
	e := element.Value.(*entry)
	if !now.Before(e.end) {
		e.failures, e.end = 0, now.Add(l.window)
	}
	e.failures++
	l.order.MoveToFront(element)
}

// Address is the TCP peer, the only thing about a client that it cannot make up. Of
// IPv6 it is the /64, as that is what one customer gets.
func Address(remote string) netip.Prefix {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		// A Unix socket: all of its clients count as one.
		return netip.Prefix{}
	}
	address, bits := peer.Addr().Unmap().WithZone(""), 32
	if address.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(address, bits).Masked()
}
