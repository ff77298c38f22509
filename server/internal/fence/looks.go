package fence

import (
	"context"
	"sync"
	"time"
)

// looks reads the store for many requests at once: those that want to know share the look
// that begins next, its failure too. No request waits longer than its client does.
type looks struct {
	read  func() (state, error)
	fresh time.Duration

	mutex sync.Mutex
	// running is under way, and next begins when it is done; nil without.
	running, next, last *look
}

type look struct {
	begun time.Time
	done  chan struct{}
	state state
	err   error
}

// after is what the store says at a time that is not before this call.
func (l *looks) after(ctx context.Context) (state, error) {
	l.mutex.Lock()
	mine := l.join()
	l.mutex.Unlock()
	return mine.wait(ctx)
}

// recent is satisfied with what was read a moment ago.
func (l *looks) recent(ctx context.Context) (state, error) {
	l.mutex.Lock()
	mine := l.last
	if mine == nil || time.Since(mine.begun) >= l.fresh {
		mine = l.running
	}
	if mine == nil || time.Since(mine.begun) >= l.fresh {
		mine = l.join()
	}
	l.mutex.Unlock()
	return mine.wait(ctx)
}

// forget lets the next one look.
func (l *looks) forget() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.last = nil
}

// join is called with the lock held.
func (l *looks) join() *look {
	switch {
	case l.running == nil:
		return l.begin(&look{done: make(chan struct{})})
	case l.next == nil:
		l.next = &look{done: make(chan struct{})}
	}
	return l.next
}

// begin is called with the lock held.
func (l *looks) begin(mine *look) *look {
	l.running, mine.begun = mine, time.Now()
	go func() {
		mine.state, mine.err = l.read()
		l.mutex.Lock()
		defer l.mutex.Unlock()
		l.running, l.last = nil, mine
		if next := l.next; next != nil {
			l.next = nil
			l.begin(next)
		}
		close(mine.done)
	}()
	return mine
}

func (l *look) wait(ctx context.Context) (state, error) {
	select {
	case <-l.done:
		return l.state, l.err
	case <-ctx.Done():
		return state{}, context.Cause(ctx)
	}
}
