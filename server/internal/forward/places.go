package forward

import (
	"context"
	"net"
	"sync"
	"time"
)

// places are for connections. While all are taken, a new one gets that of the one that has
// stood still longest, if that is long enough: who opens connections and does nothing
// takes them from nobody else.
type places struct {
	slots chan struct{}
	limit time.Duration

	mu sync.Mutex
	// taken has how to end each connection that a task has.
	taken map[*net.TCPConn]func()
}

func newPlaces(number int, limit time.Duration) *places {
	return &places{slots: make(chan struct{}, number), limit: limit, taken: map[*net.TCPConn]func(){}}
}

// enter is false when ctx ended before there was a place.
func (p *places) enter(ctx context.Context) bool {
	select {
	case p.slots <- struct{}{}:
		return true
	default:
	}
	for {
		timer := time.NewTimer(p.makeRoom())
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

func (p *places) leave() { <-p.slots }

// hold says how to end a connection, until release.
func (p *places) hold(client *net.TCPConn, end func()) (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken[client] = end
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.taken, client)
	}
}

// makeRoom ends a connection, and tells when to try again.
func (p *places) makeRoom() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var stillest *net.TCPConn
	var longest time.Duration
	for client := range p.taken {
		if d := still(client); d > longest {
			stillest, longest = client, d
		}
	}
	if longest < p.limit {
		return max(p.limit-longest, time.Millisecond)
	}
	p.taken[stillest]()
	delete(p.taken, stillest)
	return p.limit
}
