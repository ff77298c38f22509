package bounds

import (
	"container/list"
	"sync"
)

// leaving are the answers of HTTP/2 that their clients have yet to take. A client opens its
// window for them when it likes, and has a hundred on a connection: net/http would hold what
// it knows of each for as long, after the handler and counted by nobody. Beyond the limit
// the connection goes that has waited longest.
type leaving struct {
	limit int

	mu      sync.Mutex
	waiting *list.List // of *connection, the one that began to wait first in front
}

func newLeaving(limit int) *leaving {
	return &leaving{limit: limit, waiting: list.New()}
}

// wait has an answer of a connection sent.
func (l *leaving) wait(c *connection, send func() error) {
	l.mu.Lock()
	place := l.waiting.PushBack(c)
	var stuck *connection
	if l.waiting.Len() > l.limit {
		// It has yet to find out, and is not to leave room for others.
		stuck = l.waiting.Remove(l.waiting.Front()).(*connection)
	}
	l.mu.Unlock()
	if stuck != nil {
		_ = stuck.Close()
	}
	// The client is gone when this fails.
	_ = send()
	l.mu.Lock()
	l.waiting.Remove(place)
	l.mu.Unlock()
}
