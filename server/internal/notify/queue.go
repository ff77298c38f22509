package notify

import (
	"slices"
	"sync"
)

// mostWaiting is how many envelopes wait for an endpoint. Beyond it the oldest go.
const mostWaiting = 10_000

// mostInMemory is how many of them are in memory with what is in them; the store has all.
const mostInMemory = 100

// queue are the envelopes that wait for an endpoint, the oldest first.
type queue struct {
	mu    sync.Mutex
	all   []envelope
	held  []string      // the moments from which on nothing is sent yet, as names begin
	ready chan struct{} // holds something when there may be a first one
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// add puts envelopes in their places, and returns those there is no room for.
func (q *queue) add(list ...envelope) (over []envelope) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range list {
		at, found := slices.BinarySearchFunc(q.all, e.name, compareName)
		if found {
			continue
		}
		if len(q.all) >= mostInMemory {
			e.content = nil
		}
		q.all = slices.Insert(q.all, at, e)
	}
	if more := len(q.all) - mostWaiting; more > 0 {
		over = slices.Clone(q.all[:more])
		q.all = slices.Delete(q.all, 0, more)
	}
	q.wake()
	return over
}

func (q *queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// hold has none of the envelopes of a moment, and later, be the first one.
func (q *queue) hold(moment string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.held = append(q.held, moment)
}

func (q *queue) release(moment string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if at := slices.Index(q.held, moment); at >= 0 {
		q.held = slices.Delete(q.held, at, at+1)
	}
	q.wake()
}

// first is the oldest envelope, when no older one can come; it stays where it is.
func (q *queue) first() (e envelope, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.all) == 0 || len(q.held) > 0 && slices.Min(q.held) <= q.all[0].name {
		return e, false
	}
	return q.all[0], true
}

func (q *queue) remove(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if at, found := slices.BinarySearchFunc(q.all, name, compareName); found {
		q.all = slices.Delete(q.all, at, at+1)
	}
}

func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.all)
}

func compareName(e envelope, name string) int {
	switch {
	case e.name < name:
		return -1
	case e.name > name:
		return 1
	}
	return 0
}
