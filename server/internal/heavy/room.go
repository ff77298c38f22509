package heavy

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"container-registry/server/internal/clientaddress"
)

// client is a user, or the network of who has no name.
type client struct {
	user    string
	network netip.Prefix
}

func clientOf(r *http.Request) client {
	return client{network: clientaddress.Network(r.RemoteAddr)}
}

// room is what requests take of something, and give back. No client has all of it, however many
// requests it sends and however slow it is: the others find some.
type room struct {
	// most is all there is, and share what one client may have of it.
	most, share int64

	mu    sync.Mutex
	taken int64
	of    map[client]int64
	line  []*waiter
}

type waiter struct {
	client client
	amount int64
	served chan struct{}
}

func newRoom(most, share int64) *room {
	return &room{most: most, share: share, of: map[client]int64{}}
}

// take waits for an amount, a share at most.
func (r *room) take(ctx context.Context, who client, amount int64) error {
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

// give is for who took as much.
func (r *room) give(who client, amount int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken -= amount
	if r.of[who] -= amount; r.of[who] == 0 {
		delete(r.of, who)
	}
	r.serve()
}

// serve goes along the line, first to clients that have least. Who waits for its own client's requests keeps
// nobody else waiting; who waits for room does, or it would be overtaken for ever.
func (r *room) serve() {
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
func (r *room) next() (next *waiter) {
	for _, each := range r.line {
		has := r.of[each.client]
		if has+each.amount <= r.share && (next == nil || has < r.of[next.client]) {
			next = each
		}
	}
	return next
}
