package bounds

import (
	"container/list"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// connections keeps to a number of them. Beyond it a new one takes the place of the one
// that has waited longest for its client to ask something: most likely that one never will.
// Nor will, beyond a number of their own, most that have sent much meanwhile.
type connections struct {
	limit, limitLoud, ample int

	mu       sync.Mutex
	open     int
	waiting  *list.List // of *connection, the one that began to wait first in front
	loud     *list.List // those of them that are
	underway *underway
}

// MostUnasked is how much a client may send between two requests before it is loud: more than most
// that begin one have to.
const MostUnasked = 8 << 10

// mostUnsent is what the kernel holds for a connection that is not among the ample ones. Less
// would slow pulls down: they take more of the processor the shorter it is.
const mostUnsent = 64 << 10

func newConnections(limits Limits) *connections {
	return &connections{
		limit:     limits.Connections,
		limitLoud: limits.Loud,
		ample:     limits.Ample,
		waiting:   list.New(),
		loud:      list.New(),
		underway:  newUnderway(limits.Requests),
	}
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
	if l.open >= l.ample {
		holdLittle(accepted)
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
	// For those who look for room: when it began to wait for its client to take what is sent, 0
	// while it does not, and how much was sent.
	standing, sent atomic.Int64

	// Under the lock of all.
	requests  int
	place     *list.Element // among those that wait
	closed    bool
	unasked   int  // bytes since the last request
	loud      bool // and stays so: net/http frees nothing before the end
	placeLoud *list.Element
}

// begin is false when there are too many requests, and none has to make room for this one.
func (c *connection) begin(request *writer, always bool) bool {
	l := c.among
	l.mu.Lock()
	// Of a connection that made room, some requests may be read yet.
	place := always || !c.closed
	var left holder
	if !always && place && l.underway.full() {
		left, place = l.makeRoom(c)
	}
	if place {
		l.underway.requests[request] = c
		request.before = c.sent.Load()
		c.requests++
		c.unasked = 0
		l.use(c)
	}
	l.mu.Unlock()
	left.leave()
	return place
}

// makeRoom takes places for a connection from who has to leave for it.
func (l *connections) makeRoom(newcomer *connection) (displaced holder, found bool) {
	displaced = l.underway.displaceable(newcomer, sinceStart(time.Now()))
	l.underway.displace(displaced)
	if displaced.connection != nil && displaced.request == nil {
		l.remove(displaced.connection)
	}
	return displaced, displaced.connection != nil
}

func (c *connection) end(request *writer) {
	request.over.Do(func() {})
	l := c.among
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underway.end(request)
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

func (c *connection) Write(p []byte) (int, error) {
	c.standing.Store(sinceStart(time.Now()))
	n, err := c.Conn.Write(p)
	c.standing.Store(0)
	c.sent.Add(int64(n))
	return n, err
}

// took is how much of what was sent reached its client, if the kernel tells.
func (c *connection) took() int64 {
	if n, known := acknowledged(c.Conn); known {
		return n
	}
	return c.sent.Load()
}

func (c *connection) Close() error {
	c.among.mu.Lock()
	c.among.remove(c)
	c.among.mu.Unlock()
	return c.Conn.Close()
}
