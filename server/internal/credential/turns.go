package credential

import (
	"context"
	"net/netip"
	"slices"
	"sync"
)

// turns are the places of those whose passwords are checked, and the queue for them. Addresses
// take turns, however many wait of each: who guesses as fast as can be delays others by one
// check, not by all.
type turns struct {
	queue int

	mu      sync.Mutex
	free    int
	waiting int
	lines   []*line // none is empty, the one whose turn it is in front
}

// line is who waits of an address, and is told whether it may go on.
type line struct {
	address netip.Prefix
	waiting []chan bool
}

// take waits for a place. It is false for who is one too many: who came last of the address that
// has most in a full queue. Who goes before the turn comes leaves room for others.
func (t *turns) take(ctx context.Context, address netip.Prefix) bool {
	t.mu.Lock()
	if t.free > 0 {
		t.free--
		t.mu.Unlock()
		return true
	}
	own := t.line(address)
	if t.waiting == t.queue && !t.displace(len(own.waiting)) {
		t.mu.Unlock()
		return false
	}
	told := make(chan bool, 1)
	if len(own.waiting) == 0 {
		t.lines = append(t.lines, own)
	}
	own.waiting = append(own.waiting, told)
	t.waiting++
	t.mu.Unlock()
	select {
	case may := <-told:
		return may
	case <-ctx.Done():
		return t.leave(address, told)
	}
}

// leave is true for who was given a place meanwhile.
func (t *turns) leave(address netip.Prefix, told chan bool) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.line(address)
	at := slices.Index(own.waiting, told)
	if at < 0 {
		return <-told
	}
	own.waiting = slices.Delete(own.waiting, at, at+1)
	t.lines = slices.DeleteFunc(t.lines, func(each *line) bool { return len(each.waiting) == 0 })
	t.waiting--
	return false
}

func (t *turns) line(address netip.Prefix) *line {
	for _, each := range t.lines {
		if each.address == address {
			return each
		}
	}
	return &line{address: address}
}

// displace makes room for one of an address that has so many.
func (t *turns) displace(own int) bool {
	longest := t.lines[0]
	for _, each := range t.lines {
		if len(each.waiting) > len(longest.waiting) {
			longest = each
		}
	}
	last := len(longest.waiting) - 1
	if last <= own {
		return false
	}
	longest.waiting[last] <- false
	longest.waiting = longest.waiting[:last]
	t.waiting--
	return true
}

// give hands a place on.
func (t *turns) give() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.lines) == 0 {
		t.free++
		return
	}
	next := t.lines[0]
	t.lines = t.lines[1:]
	next.waiting[0] <- true
	if next.waiting = next.waiting[1:]; len(next.waiting) > 0 {
		t.lines = append(t.lines, next)
	}
	t.waiting--
}
