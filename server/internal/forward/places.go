package forward

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"container-registry/server/internal/clientaddress"
)

// places are for connections. While all are taken, a new one gets that of the one that has stood still
// longest, of the address that has most of them: who opens connections takes places from nobody who
// has fewer, whatever it does with them. One of an address that would have as many then gets a place only
// of who does nothing, or none: of more at work than there are places, none would come to an end. None
// waits: others would wait behind it.
type places struct {
	slots chan struct{}

	mu sync.Mutex
	// idle is who does nothing.
	idle  time.Duration
	taken map[*net.TCPConn]place
	// still are those that go next, as they were looked at, and numbers those of each address.
	still   []standing
	numbers map[netip.Prefix]int
	most    int
	looked  time.Time
}

// standing is how long nothing has moved on a connection.
type standing struct {
	client *net.TCPConn
	since  time.Duration
}

// place has whose a connection is, and how to end it.
type place struct {
	address netip.Prefix
	end     func()
}

const (
	// again is when one tries again whose place was not left yet.
	again = 100 * time.Millisecond
	// few is which part of an address's connections is found by one look.
	few = 64
	// fresh is for how long a look counts.
	fresh = time.Second
	// step is by what the kernel's times may be too short.
	step = 10 * time.Millisecond
)

func newPlaces(number int) *places {
	return &places{slots: make(chan struct{}, number), idle: 5 * time.Second, taken: map[*net.TCPConn]place{}}
}

// enter says how to end a connection, and is false where there is no place for it, or ctx ended before.
func (p *places) enter(ctx context.Context, client *net.TCPConn, end func()) bool {
	address := clientaddress.Network(client.RemoteAddr().String())
	if !p.take(ctx, address) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken[client] = place{address, end}
	return true
}

func (p *places) take(ctx context.Context, address netip.Prefix) bool {
	select {
	case p.slots <- struct{}{}:
		return true
	default:
	}
	for {
		if !p.makeRoom(address) {
			return false
		}
		timer := time.NewTimer(again)
		select {
		case p.slots <- struct{}{}:
			timer.Stop()
			return true
		case <-ctx.Done():
			timer.Stop()
			return false
		case <-timer.C:
		}
	}
}

func (p *places) leave(client *net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, client)
	<-p.slots
}

// makeRoom ends a connection, and is false where none is to end for that address.
func (p *places) makeRoom(address netip.Prefix) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.still) == 0 || time.Since(p.looked) >= fresh {
		p.look()
	}
	if len(p.still) > 0 && p.numbers[address]+1 >= p.most && p.still[0].since+time.Since(p.looked) < p.idle {
		return false
	}
	if !p.endStill() {
		p.look()
		p.endStill()
	}
	return true
}

// endStill ends one that stood still when they were looked at, and since. After a while others may have more.
func (p *places) endStill() bool {
	for len(p.still) > 0 && time.Since(p.looked) < fresh {
		client := p.still[0].client
		p.still = p.still[1:]
		// The kernel counts in steps.
		if each, ok := p.taken[client]; ok && still(client)+step >= time.Since(p.looked) {
			each.end()
			delete(p.taken, client)
			return true
		}
	}
	return false
}

// look finds which are next. It looks at all, so it finds a few: somebody may ask for places faster than
// that.
func (p *places) look() {
	p.looked = time.Now()
	numbers, most := map[netip.Prefix]int{}, 0
	for _, each := range p.taken {
		numbers[each.address]++
		most = max(most, numbers[each.address])
	}
	var all []standing
	for client, each := range p.taken {
		if numbers[each.address] == most {
			all = append(all, standing{client, still(client)})
		}
	}
	slices.SortFunc(all, func(a, b standing) int { return cmp.Compare(b.since, a.since) })
	p.still = slices.Clone(all[:min(len(all), most/few+1)])
	p.numbers, p.most = numbers, most
}
