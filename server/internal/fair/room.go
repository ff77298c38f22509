// Package fair shares what there is little of among clients: none has all of it, whatever it does.
package fair

import (
	"context"
	"slices"
	"sync"
)

// Room is what requests take of something, and give back. No client has all of it, however many
// requests it sends and however slow it is: the others find some.
type Room struct {
	// most is all there is, and share what one client may have of it.
	most, share int64

	mu    sync.Mutex
	taken int64
	of    map[Client]int64
	line  []*waiter
}

type waiter struct {
	client Client
	amount int64
	served chan struct{}
}

// NewRoom has so much, of which one client may have a share.
func NewRoom(most, share int64) *Room {
	return &Room{most: most, share: share, of: map[Client]int64{}}
}

// Share is the most that one client may have.
func (r *Room) Share() int64 { return r.share }

// Take waits for an amount, a share at most.
func (r *Room) Take(ctx context.Context, who Client, amount int64) error {
	own := &waiter{who, amount, make(chan struct{})}
	r.mu.Lock()
	r.line = append(r.line, own)
	r.serve()
	r.mu.Unlock()
	select {
	case <-own.served:
		return nil
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	at := slices.Index(r.line, own)
	if at < 0 {
		// It was served meanwhile.
		return nil
	}
	r.line = slices.Delete(r.line, at, at+1)
	r.serve()
	return context.Cause(ctx)
}

// Give is for who took as much.
func (r *Room) Give(who Client, amount int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken -= amount
	if r.of[who] -= amount; r.of[who] == 0 {
		delete(r.of, who)
	}
	r.serve()
}

// Missing is what there is too little for an amount.
func (r *Room) Missing(amount int64) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken + amount - r.most
}

// Taken is what all have.
func (r *Room) Taken() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken
}

// Of is what a client has.
func (r *Room) Of(who Client) int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.of[who]
}

// serve goes along the line, first to clients that have least. Who waits for its own client's requests keeps
// nobody else waiting; who waits for room does, or it would be overtaken for ever.
func (r *Room) serve() {
	for {
		next := r.next()
		if next == nil || r.taken+next.amount > r.most {
			return
		}
		r.taken += next.amount
		r.of[next.client] += next.amount
		close(next.served)
		// Clients take turns: the others of this one come after all who wait by now.
		var others, own []*waiter
		for _, each := range r.line {
			switch {
			case each == next:
			case each.client == next.client:
				own = append(own, each)
			default:
				others = append(others, each)
			}
		}
		r.line = append(others, own...)
	}
}

// next is nil when all wait for requests of their own clients.
func (r *Room) next() (next *waiter) {
	for _, each := range r.line {
		has := r.of[each.client]
		if has+each.amount <= r.share && (next == nil || has < r.of[next.client]) {
			next = each
		}
	}
	return next
}
