package bounds

import (
	"container/list"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// connections keeps to a number of them. Beyond it a new one takes the place of the one
// that has waited longest for its client to ask something: most likely that one never will.
// Nor will, beyond a number of their own, most that are loud.
type connections struct {
	limit, limitLoud, ample int

	mu       sync.Mutex
	open     int
	waiting  *list.List // of *connection, the one that began to wait first in front
	loud     *list.List // of *connection, the one that is for longest in front
	underway *underway
	arriving *arriving
}

// MostUnasked is how much a client may send before it is loud, while no request is under way or it
// takes nothing: more than most that begin a request have to. What handlers took of a body counts no
// more, nor does as much as the client took meanwhile.
const MostUnasked = 8 << 10

// betweenWrites no time passes where net/http has more to write.
const betweenWrites = time.Millisecond

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
		arriving:  newArriving(limits),
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
	c := &connection{Conn: accepted, among: l, arrival: l.arriving.turn(), forgot: make(chan struct{}, 1)}
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
	leave(l.waiting, &c.place)
	leave(l.loud, &c.placeLoud)
	c.forget(math.MaxInt64)
}

// leave is for a connection that may have a place in a list.
func leave(among *list.List, place **list.Element) {
	if *place != nil {
		among.Remove(*place)
		*place = nil
	}
}

// hear has a connection be loud, and ends the one that has been for longest, if there are too many.
func (l *connections) hear(c *connection) {
	if c.placeLoud != nil {
		return
	}
	c.placeLoud = l.loud.PushBack(c)
	if l.loud.Len() > l.limitLoud {
		displaced := l.loud.Front().Value.(*connection)
		l.remove(displaced)
		_ = displaced.Conn.Close()
	}
}

// connection waits, or has requests under way.
type connection struct {
	net.Conn
	among   *connections
	arrival *turn
	// For those who look for room: when it began to wait for its client to take what is sent, 0
	// while it does not, and how much was sent.
	standing, sent atomic.Int64
	unasked        atomic.Int64  // bytes that count for MostUnasked
	forgot         chan struct{} // has one when they are fewer
	deaf           atomic.Bool   // stays loud: net/http frees no room for what waited before the end

	// Under the lock of all.
	requests  int
	streams   bool          // of HTTP/2: more requests may come while some are under way
	place     *list.Element // among those that wait
	closed    bool
	placeLoud *list.Element // among those that are loud
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
	c.streams = request.stream
	if !c.streams {
		c.arrival.leave()
	}
	if place {
		l.underway.requests[request] = c
		request.before = c.sent.Load()
		c.requests++
		c.forget(math.MaxInt64)
		leave(l.waiting, &c.place)
		if !c.deaf.Load() {
			leave(l.loud, &c.placeLoud)
		}
	}
	l.mu.Unlock()
	left.leave()
	return place
}

// makeRoom takes places for a connection from who has to leave for it.
func (l *connections) makeRoom(newcomer *connection) (displaced holder, found bool) {
	displaced = l.underway.look(newcomer, sinceStart(time.Now()))
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
		c.place = l.waiting.PushBack(c)
	}
}

func (c *connection) Read(p []byte) (int, error) {
	c.arrival.pass()
	if c.unasked.Load() > MostUnasked && !c.deaf.Load() {
		c.listen()
	}
	n, err := c.Conn.Read(p)
	if n > 0 && c.heard(n) {
		c.arrival.take()
	}
	return n, err
}

// heard counts what was read, and tells whether requests may begin by it.
func (c *connection) heard(n int) bool {
	c.among.mu.Lock()
	defer c.among.mu.Unlock()
	if c.place != nil || c.standing.Load() != 0 {
		c.unasked.Add(int64(n))
	}
	return c.place != nil || c.streams
}

// listen is before more is read of a client that sent much.
func (c *connection) listen() {
	c.deaf.Store(c.takesNothing())
	l := c.among
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.closed && (c.deaf.Load() || c.place != nil) {
		l.hear(c)
	}
}

// takesNothing waits for handlers and the client to take what there is, as they mostly do at once. Some
// clients go on only if they are read, so there is an end to that.
func (c *connection) takesNothing() bool {
	for left := shortStand; left > 0; {
		idle := c.standing.Load() == 0
		select {
		case <-c.forgot:
			if c.unasked.Load() <= MostUnasked {
				return false
			}
		case <-time.After(betweenWrites):
			left -= betweenWrites
			if idle && c.standing.Load() == 0 {
				c.forget(math.MaxInt64)
				return false
			}
		}
	}
	return true
}

func (c *connection) Write(p []byte) (int, error) {
	c.standing.Store(sinceStart(time.Now()))
	n, err := c.Conn.Write(p)
	c.standing.Store(0)
	c.sent.Add(int64(n))
	c.forget(int64(n))
	return n, err
}

// forget counts so many bytes no more.
func (c *connection) forget(n int64) {
	for counted := c.unasked.Load(); counted > 0; counted = c.unasked.Load() {
		if c.unasked.CompareAndSwap(counted, max(0, counted-n)) {
			select {
			case c.forgot <- struct{}{}:
			default:
			}
			return
		}
	}
}

// took is how much of what was sent reached its client, if the kernel tells.
func (c *connection) took() int64 {
	if n, known := acknowledged(c.Conn); known {
		return n
	}
	return c.sent.Load()
}

func (c *connection) Close() error {
	c.arrival.leave()
	c.among.mu.Lock()
	c.among.remove(c)
	c.among.mu.Unlock()
	return c.Conn.Close()
}
