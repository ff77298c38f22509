package bounds

import (
	"container/list"
	"math"
	"net"
	"sync"
	"time"

	"container-registry/server/internal/clientaddress"
)

// connections keeps to a number of them. Beyond it a new one takes the place of one that
// waits for its client to ask something: most likely that one never will.
// Nor will, beyond a number of their own, most that are loud.
type connections struct {
	limit, limitLoud, ample int

	mu       sync.Mutex
	open     int
	waiting  *waiting
	loud     *list.List // of *connection, the one that is for longest in front
	underway *underway
	arriving *arriving
}

// mostUnsent is what the kernel holds for a connection that is not among the ample ones. Less
// would slow pulls down: they take more of the processor the shorter it is.
const mostUnsent = 64 << 10

func newConnections(limits Limits) *connections {
	return &connections{
		limit:     limits.Connections,
		limitLoud: limits.Loud,
		ample:     limits.Ample,
		waiting:   newWaiting(),
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
	}
}

// add is nil when every connection is in use.
func (l *connections) add(accepted net.Conn) *connection {
	c := &connection{Conn: accepted, among: l, arrival: l.arriving.turn(), forgot: make(chan struct{}, 1)}
	c.network = clientaddress.Network(inner(accepted).RemoteAddr().String())
	l.mu.Lock()
	if l.open >= l.ample {
		holdLittle(accepted)
	}
	l.waiting.add(c)
	l.open++
	var displaced *connection
	if l.open > l.limit {
		// It is the new one where no other waits.
		displaced = l.waiting.first()
		l.remove(displaced)
	}
	l.mu.Unlock()
	if displaced != nil {
		_ = displaced.Conn.Close()
	}
	if displaced == c {
		return nil
	}
	return c
}

func (l *connections) remove(c *connection) {
	if c.closed {
		return
	}
	c.closed = true
	l.open--
	l.waiting.remove(c)
	l.hush(c)
	c.forget(math.MaxInt64)
}

// hush is for a connection that may be loud.
func (l *connections) hush(c *connection) {
	if c.placeLoud != nil {
		l.loud.Remove(c.placeLoud)
		c.placeLoud = nil
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

// makeRoom takes places for a connection from who has to leave for it.
func (l *connections) makeRoom(newcomer *connection) (displaced holder, found bool) {
	displaced = l.underway.look(newcomer, sinceStart(time.Now()))
	l.underway.displace(displaced)
	if displaced.connection != nil && displaced.request == nil {
		l.remove(displaced.connection)
	}
	return displaced, displaced.connection != nil
}
