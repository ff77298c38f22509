package bounds

import (
	"container/list"
	"net"
	"sync"
)

// connections keeps to a number of them. Beyond it a new one takes the place of the one
// that has waited longest for its client to ask something: most likely that one never will.
type connections struct {
	limit int

	mu      sync.Mutex
	open    int
	waiting *list.List // of *connection, the one that began to wait first in front
}

func newConnections(limit int) *connections {
	return &connections{limit: limit, waiting: list.New()}
}

// guarded is one of those whose connections are bounded together.
type guarded struct {
	net.Listener
	connections *connections
}

func (l guarded) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.connections.add(accepted); c != nil {
			return c, nil
		}
		_ = accepted.Close()
	}
}

// add is nil when every connection is in use.
func (l *connections) add(accepted net.Conn) *connection {
	l.mu.Lock()
	var displaced *connection
	if l.open >= l.limit {
		if l.waiting.Len() == 0 {
			l.mu.Unlock()
			return nil
		}
		displaced = l.waiting.Front().Value.(*connection)
		l.remove(displaced)
	}
	c := &connection{Conn: accepted, among: l}
	c.place = l.waiting.PushBack(c)
	l.open++
	l.mu.Unlock()
	if displaced != nil {
		_ = displaced.Conn.Close()
	}
	return c
}

func (l *connections) remove(c *connection) {
	if c.closed {
		return
	}
	c.closed = true
	l.open--
	if c.place != nil {
		l.waiting.Remove(c.place)
		c.place = nil
	}
}

// connection waits, or has requests under way.
type connection struct {
	net.Conn
	among *connections

	// Under the lock of all.
	requests int
	place    *list.Element // among those that wait
	closed   bool
}

func (c *connection) begin() {
	l := c.among
	l.mu.Lock()
	defer l.mu.Unlock()
	c.requests++
	if c.place != nil {
		l.waiting.Remove(c.place)
		c.place = nil
	}
}

func (c *connection) end() {
	l := c.among
	l.mu.Lock()
	defer l.mu.Unlock()
	c.requests--
	if c.requests == 0 && !c.closed {
		c.place = l.waiting.PushBack(c)
	}
}

func (c *connection) Close() error {
	c.among.mu.Lock()
	c.among.remove(c)
	c.among.mu.Unlock()
	return c.Conn.Close()
}
