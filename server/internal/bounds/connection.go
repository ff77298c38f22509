package bounds

import (
	"container/list"
	"math"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"container-registry/server/internal/clientaddress"
)

// MostUnasked is how much a client may send before it is loud, while no request is under way or it
// takes nothing: more than most that begin a request have to. What handlers took of a body counts no
// more, nor does as much as the client took meanwhile.
const MostUnasked = 8 << 10

// betweenWrites is how soon net/http writes again if it has more: a connection that is idle for longer
// waits for its client.
const betweenWrites = time.Millisecond

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
	streams   bool // of HTTP/2: more requests may come while some are under way
	network   netip.Prefix
	place     *list.Element // among those of its network that wait
	began     uint64        // which one began to wait, of all
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
		l.underway.add(request, c)
		request.before, request.began = c.sent.Load(), sinceStart(time.Now())
		c.requests++
		c.forget(math.MaxInt64)
		l.waiting.remove(c)
		if !c.deaf.Load() {
			l.hush(c)
		}
	}
	l.mu.Unlock()
	left.leave()
	return place
}

func (c *connection) end(request *writer) {
	request.over.Do(func() {})
	l := c.among
	l.mu.Lock()
	defer l.mu.Unlock()
	l.underway.end(request)
	c.requests--
	if c.requests == 0 && !c.closed {
		l.waiting.add(c)
	}
}

// RemoteAddr is where net/http asks for the client, of which a forwarder may tell. It may take as long as
// the forwarder does.
func (c *connection) RemoteAddr() net.Addr {
	address := c.Conn.RemoteAddr()
	network := clientaddress.Network(address.String())
	c.among.mu.Lock()
	defer c.among.mu.Unlock()
	if c.network != network {
		c.among.waiting.move(c, network)
	}
	return address
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

// CloseWrite is where net/http has refused what it read, and waits for the client to take that.
func (c *connection) CloseWrite() error {
	c.arrival.leave()
	if half, ok := inner(c.Conn).(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// SetWriteDeadline is the CloseWrite of TLS, after which nothing is written.
func (c *connection) SetWriteDeadline(t time.Time) error {
	if !t.IsZero() && !t.After(time.Now()) {
		c.arrival.leave()
	}
	return c.Conn.SetWriteDeadline(t)
}

func (c *connection) Close() error {
	c.arrival.leave()
	c.among.mu.Lock()
	c.among.remove(c)
	c.among.mu.Unlock()
	return c.Conn.Close()
}
