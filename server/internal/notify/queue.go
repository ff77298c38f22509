package notify

import (
	"slices"
	"sync"
)

// mostWaiting is how many envelopes may wait for an endpoint. Beyond that the oldest are dropped.
const mostWaiting = 10_000

// mostInMemory is how many envelopes are in memory with their content; the store has the content of all.
const mostInMemory = 100

// queue holds the envelopes that wait for an endpoint, the oldest first.
type queue struct {
	mu    sync.Mutex
	all   []envelope
	held  []string      // the moments from which on nothing is sent yet, in the form in which names begin
	ready chan struct{} // holds something when there may be an envelope to send
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// add puts envelopes in their places, and returns those that there is no room for.
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

// hold keeps first from returning envelopes of this moment and later ones.
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

// first returns the oldest envelope if no older one can still come; the envelope stays in the queue.
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
