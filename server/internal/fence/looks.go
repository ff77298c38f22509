package fence

import (
	"context"
	"sync"
	"time"
)

// looks reads the store for many requests at once. The requests that need to know its state share the
// look that begins next, also if it fails. No request waits longer than its client does.
type looks struct {
	read  func() (state, error)
	fresh time.Duration

	mutex sync.Mutex
	// running is the look under way, and next begins when that is done. Each is nil if there is none.
	running, next, last *look
}

type look struct {
	begun time.Time
	done  chan struct{}
	state state
	err   error
}

// after is the state of the store at some time after the call.
func (l *looks) after(ctx context.Context) (state, error) {
	l.mutex.Lock()
	mine := l.join()
	l.mutex.Unlock()
	return mine.wait(ctx)
}

// recent is after, but is satisfied with what was read a moment ago.
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

// forget has the next caller of recent look again, unless a look is under way.
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
