package bounds

import (
	"container/list"
	"net"
	"sync"
)

// connections keeps to a number of them. Beyond it a new one takes the place of the one
// that has waited longest for its client to ask something: most likely that one never will.
// Nor will, beyond a number of their own, most that have sent much meanwhile.
type connections struct {
	limit, limitLoud int

	mu      sync.Mutex
	open    int
	waiting *list.List // of *connection, the one that began to wait first in front
	loud    *list.List // those of them that are
}

// MostUnasked is how much a client may send between two requests before it is loud: more than most
// that begin one have to.
const MostUnasked = 8 << 10

func newConnections(limits Limits) *connections {
	return &connections{limit: limits.Connections, limitLoud: limits.Loud, waiting: list.New(), loud: list.New()}
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
	l.wait(c)
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
	l.use(c)
}

// wait has a connection wait for its client.
func (l *connections) wait(c *connection) {
	c.place = l.waiting.PushBack(c)
	if c.loud {
		c.placeLoud = l.loud.PushBack(c)
	}
}

func (l *connections) use(c *connection) {
	if c.place != nil {
		l.waiting.Remove(c.place)
		c.place = nil
	}
	if c.placeLoud != nil {
		l.loud.Remove(c.placeLoud)
		c.placeLoud = nil
	}
}

// quieten ends the connection that has been loud for longest, if there are too many.
func (l *connections) quieten() {
	if l.loud.Len() > l.limitLoud {
		displaced := l.loud.Front().Value.(*connection)
		l.remove(displaced)
		_ = displaced.Conn.Close()
	}
}

// connection waits, or has requests under way.
type connection struct {
	net.Conn
	among *connections

	// Under the lock of all.
	requests  int
	place     *list.Element // among those that wait
	closed    bool
	unasked   int  // bytes since the last request
	loud      bool // and stays so: net/http frees nothing before the end
	placeLoud *list.Element
}

func (c *connection) begin() {
	l := c.among
	l.mu.Lock()
	defer l.mu.Unlock()
	c.requests++
	c.unasked = 0
	l.use(c)
}

func (c *connection) end() {
	l := c.among
	l.mu.Lock()
	defer l.mu.Unlock()
	c.requests--
	if c.requests == 0 && !c.closed {
		l.wait(c)
		l.quieten()
	}
}

func (c *connection) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	l := c.among
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.place == nil || c.loud {
		return n, err
	}
	if c.unasked += n; c.unasked > MostUnasked {
		c.loud, c.placeLoud = true, l.loud.PushBack(c)
		l.quieten()
	}
	return n, err
}

func (c *connection) Close() error {
	c.among.mu.Lock()
	c.among.remove(c)
	c.among.mu.Unlock()
	return c.Conn.Close()
}
