package bounds

import (
	"container/list"
	"math"
	"net"
	"sync"
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

// makeRoom takes places for a connection from who has to leave for it.
func (l *connections) makeRoom(newcomer *connection) (displaced holder, found bool) {
	displaced = l.underway.look(newcomer, sinceStart(time.Now()))
	l.underway.displace(displaced)
	if displaced.connection != nil && displaced.request == nil {
		l.remove(displaced.connection)
	}
	return displaced, displaced.connection != nil
}
