package bounds

import (
	"runtime"
	"sync/atomic"
	"time"
)

// arriving has only some connections at a time be between bytes that were read and the next read. By
// then net/http has begun what the bytes ask for: that may be a hundred requests of HTTP/2, each of which
// holds memory before it is run for the first time. All connections at once would be too many, and one
// after the other too fast: where more requests were begun than can be under way or leave, the next
// wait until the server has refused some.
type arriving struct {
	turns chan struct{}
	begun atomic.Int64 // requests whose handlers run
	most  int64
}

const (
	// aTurn is more than net/http takes to begin requests. What it answers by itself may have to wait
	// for its client, who holds up nobody else.
	aTurn = 100 * time.Millisecond
	// aJam is how long a connection waits for others' requests in its turn. They don't wait for
	// what it sends, but nobody can prove that.
	aJam = time.Second
	// aLook is how often it looks meanwhile.
	aLook = time.Millisecond
)

func newArriving(limits Limits) *arriving {
	// As many leave as are under way, and some have yet to find out that they lost their place.
	return &arriving{turns: make(chan struct{}, max(1, limits.Arriving)), most: int64(limits.Requests)*5/2 + 1}
}

// turn is that of one connection.
type turn struct {
	among *arriving
	taken atomic.Bool
	end   *time.Timer
}

func (a *arriving) turn() *turn {
	t := &turn{among: a}
	t.end = time.AfterFunc(aTurn, t.leave)
	t.end.Stop()
	return t
}

func (t *turn) take() {
	t.among.turns <- struct{}{}
	t.taken.Store(true)
	for waited := time.Duration(0); waited < aJam && t.among.begun.Load() > t.among.most; waited += aLook {
		time.Sleep(aLook)
	}
	t.end.Reset(aTurn)
}

// pass is for who is about to read again, and lets what it began run first: only then is that counted.
func (t *turn) pass() {
	if t.taken.Load() {
		runtime.Gosched()
		t.leave()
	}
}

// leave is also for those who have none.
func (t *turn) leave() {
	if t.taken.CompareAndSwap(true, false) {
		t.end.Stop()
		<-t.among.turns
	}
}
