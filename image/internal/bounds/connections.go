package bounds

import (
	"container/list"
	"net"
	"sync"
)

// listener keeps to a number of connections. Beyond it a new one takes the place of the
// one that has waited longest for its client to ask something: most likely that one never will.
type listener struct {
	net.Listener
	limit int

	mu      sync.Mutex
	open    int
	waiting *list.List // of *connection, the one that began to wait first in front
}

func newListener(l net.Listener, limit int) *listener {
	return &listener{Listener: l, limit: limit, waiting: list.New()}
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := l.add(accepted); c != nil {
			return c, nil
		}
		_ = accepted.Close()
	}
}

// add is nil when every connection is in use.
func (l *listener) add(accepted net.Conn) *connection {
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
	c := &connection{Conn: accepted, listener: l}
	c.place = l.waiting.PushBack(c)
	l.open++
	l.mu.Unlock()
	if displaced != nil {
		_ = displaced.Conn.Close()
	}
	return c
}

func (l *listener) remove(c *connection) {
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
	listener *listener

	// Under the listener's lock.
	requests int
	place    *list.Element // among those that wait
	closed   bool
}

func (c *connection) begin() {
	l := c.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	c.requests++
	if c.place != nil {
		l.waiting.Remove(c.place)
		c.place = nil
	}
}

func (c *connection) end() {
	l := c.listener
	l.mu.Lock()
	defer l.mu.Unlock()
	c.requests--
	if c.requests == 0 && !c.closed {
		c.place = l.waiting.PushBack(c)
	}
}

func (c *connection) Close() error {
	c.listener.mu.Lock()
	c.listener.remove(c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}
