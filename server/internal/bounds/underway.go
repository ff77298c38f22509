package bounds

import (
	"math"
	"net/netip"
	"time"
)

const (
	// fewRequests is how many a client may have whose answers nobody takes.
	fewRequests = 8
	// aStart is what a client takes at once of an answer: in HTTP/2 a stream begins with such a
	// window. Whoever took that much works, if slowly, as a proxy does for all of its clients.
	aStart = 64 << 10
	// shortStand is more than TCP takes to say that first bytes arrived: 200 ms by a client that has
	// nothing else to say.
	shortStand = 500 * time.Millisecond
	// aStand is enough for a line that loses a packet.
	aStand = time.Second
	// betweenLooks nobody looks for who makes room after one found nobody: with thousands of requests a
	// second all others would wait for that.
	betweenLooks = 50 * time.Millisecond
	// longStand is for those who took something before.
	longStand = 5 * time.Second
	// few and many are which part of all requests under way a network has.
	few, many = 16, 4
)

// underway are the requests under way, under the lock of all connections. Beyond the limit a new
// one takes the places of who takes nothing of its answers: a request whose answer is longer than
// net/http's buffer holds its place until the client has taken that. Where all move, as slowly as they
// may, it takes one of a network that has many.
type underway struct {
	limit    int
	requests map[*writer]*connection
	// numbers are those of each network.
	numbers map[netip.Prefix]int
	// ending are those whose places were taken, and whose handlers have yet to find out.
	ending int
	// vain is when a look last found nobody, for each kind of newcomer: who has all places finds
	// nobody but itself, and others are not to wait for that.
	vain map[kind]int64
}

// kind of a newcomer: whether its connection has other requests, and its network more than few.
type kind struct{ others, many bool }

func newUnderway(limit int) *underway {
	return &underway{limit: limit, requests: map[*writer]*connection{}, numbers: map[netip.Prefix]int{}, vain: map[kind]int64{}}
}

func (u *underway) add(request *writer, of *connection) {
	u.requests[request] = of
	u.numbers[of.network]++
}

// remove is false where a request has no place.
func (u *underway) remove(request *writer) bool {
	of, holds := u.requests[request]
	if !holds {
		return false
	}
	delete(u.requests, request)
	if u.numbers[of.network]--; u.numbers[of.network] == 0 {
		delete(u.numbers, of.network)
	}
	return true
}

func (u *underway) full() bool { return len(u.requests) >= u.limit }

// holder is who has places: a connection, or one request on it.
type holder struct {
	connection *connection
	request    *writer
}

// look is displaceable, but not soon after it was nobody.
func (u *underway) look(newcomer *connection, now int64) (displaced holder) {
	kind := u.kind(newcomer)
	if vain, was := u.vain[kind]; was && now-vain < int64(betweenLooks) {
		return holder{}
	}
	if displaced = u.displaceable(newcomer, now); displaced.connection == nil {
		u.vain[kind] = now
	} else {
		delete(u.vain, kind)
	}
	return displaced
}

func (u *underway) kind(newcomer *connection) kind {
	return kind{newcomer.requests > 0, u.numbers[newcomer.network] > u.limit/few}
}

// displaceable is who makes room for a request of another connection, empty when none has to.
func (u *underway) displaceable(newcomer *connection, now int64) holder {
	// Handlers that don't find out hold their memory as well.
	if u.ending > u.limit/8 {
		return holder{}
	}
	if stands := u.standing(newcomer, now); stands.connection != nil {
		return stands
	}
	if u.kind(newcomer).many {
		return holder{}
	}
	return u.crowding()
}

// standing is who takes too little, empty when nobody does. A
// connection with many answers of which next to nothing was taken goes soon: who comes back with as
// many would be faster than any patience. Else it is who has stood in a write for longest: a
// connection, or a stream whose connection goes on.
func (u *underway) standing(newcomer *connection, now int64) (displaced holder) {
	oldest := now - int64(aStand)
	untaken := map[*connection]int{}
	for request, c := range u.requests {
		since := request.standing.Load()
		if since == 0 || c == newcomer {
			continue
		}
		waited := now - since
		if waited >= int64(shortStand) && c.requests > fewRequests && request.taken.Load() < aStart && request.slow(c, waited) {
			untaken[c]++
		}
		stands := holder{c, request}
		if socket := c.standing.Load(); !request.stream || socket != 0 && request.still(c, now-socket) {
			since, stands.request = socket, nil
		}
		if since != 0 && since <= oldest && request.still(c, now-since) {
			displaced, oldest = stands, since
		}
	}
	most := max(fewRequests, newcomer.requests+1)
	for c, count := range untaken {
		if count > most {
			displaced, most = holder{connection: c}, count
		}
	}
	return displaced
}

// crowding is the oldest request of the network that has most of them, if it has many. It is for a newcomer
// of one that has few: to be refused costs others less than a cut costs who moves.
func (u *underway) crowding() (displaced holder) {
	most, crowded, oldest := u.limit/many, netip.Prefix{}, int64(math.MaxInt64)
	for network, number := range u.numbers {
		if number > most {
			most, crowded = number, network
		}
	}
	if most == u.limit/many {
		return holder{}
	}
	for request, c := range u.requests {
		if c.network == crowded && request.began < oldest {
			displaced, oldest = request.on(c), request.began
		}
	}
	return displaced
}

// on is how a request ends: by its stream in HTTP/2, else by its connection.
func (w *writer) on(c *connection) holder {
	if w.stream {
		return holder{c, w}
	}
	return holder{connection: c}
}

// still tells whether a client that is waited for stands.
func (w *writer) still(c *connection, waited int64) bool {
	return waited >= int64(longStand) || waited >= int64(aStand) && w.slow(c, waited)
}

// slow is a client that takes less than patience demands, for each request of its connection.
func (w *writer) slow(c *connection, waited int64) bool {
	return c.took()-w.before < int64(c.requests)*waited/int64(perByte)
}

// displace has them hold no places any more.
func (u *underway) displace(left holder) {
	for request, of := range u.requests {
		if of == left.connection && (left.request == nil || left.request == request) {
			u.remove(request)
			u.ending++
		}
	}
}

// leave is for after the lock: a connection may have to do something before its stream ends.
func (h holder) leave() {
	switch {
	case h.request != nil:
		h.request.drop()
	case h.connection != nil:
		_ = h.connection.Conn.Close()
	}
}

func (u *underway) end(request *writer) {
	if !u.remove(request) {
		u.ending--
	}
}

var start = time.Now()

// sinceStart is a time that no setting of a clock moves.
func sinceStart(at time.Time) int64 { return int64(at.Sub(start)) }
