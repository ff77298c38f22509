package credential

import (
	"context"
	"crypto/sha256"
	"sync"

	"container-registry/server/internal/htpasswd"
)

// flights are the checks under way. Who asks for the same as another waits for the same check.
type flights struct {
	mu  sync.Mutex
	all map[question]*flight
}

// question is whether a credential is right, for one state of the users.
type question struct {
	key   key
	state [sha256.Size]byte
}

type flight struct {
	waiting int
	abandon context.CancelFunc
	// over is closed when the answer is there.
	over  chan struct{}
	found htpasswd.Password
	err   error
}

// wait returns what check does. The context of the check ends when the last who waited for it is
// gone. Who asks after that has another one, as from this there is nothing to have.
func (f *flights) wait(ctx context.Context, q question, check func(context.Context) (htpasswd.Password, error)) (htpasswd.Password, error) {
	own := f.join(q, check)
	select {
	case <-own.over:
		return own.found, own.err
	case <-ctx.Done():
		f.leave(q, own)
		return "", ctx.Err()
	}
}

func (f *flights) join(q question, check func(context.Context) (htpasswd.Password, error)) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	own := f.all[q]
	if own == nil {
		ctx, abandon := context.WithCancel(context.Background())
		own = &flight{abandon: abandon, over: make(chan struct{})}
		f.all[q] = own
		go func() {
			defer abandon()
			own.found, own.err = check(ctx)
			f.mu.Lock()
			f.forget(q, own)
			f.mu.Unlock()
			close(own.over)
		}()
	}
	own.waiting++
	return own
}

func (f *flights) leave(q question, own *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if own.waiting--; own.waiting == 0 {
		own.abandon()
		f.forget(q, own)
	}
}

// forget is called with the lock held. Another check may have taken the place of one that nobody
// waits for.
func (f *flights) forget(q question, own *flight) {
	if f.all[q] == own {
		delete(f.all, q)
	}
}
