package bounds

import "time"

const (
	// fewRequests is how many a client may have whose answers nobody takes.
	fewRequests = 8
	// aStart is what a client takes at once of an answer: in HTTP/2 a stream begins with such a
	// window. Whoever took that much works, if slowly, as a proxy does for all of its clients.
	aStart = 64 << 10
	// longStand is enough for a line that loses a packet.
	longStand = time.Second
)

// underway are the requests under way, under the lock of all connections. Beyond the limit a new
// one takes the places of a connection that takes nothing of its answers: a request whose
// answer is longer than net/http's buffer holds its place until the client has taken that.
type underway struct {
	limit    int
	requests map[*writer]*connection
	// ending are those whose places were taken, and whose handlers have yet to find out.
	ending int
}

func newUnderway(limit int) *underway {
	return &underway{limit: limit, requests: map[*writer]*connection{}}
}

func (u *underway) full() bool { return len(u.requests) >= u.limit }

// displaceable is the connection that makes room for a request of another, nil when none has to.
// One that has many answers of which nothing was taken goes at once: who comes back with as many
// would be faster than any patience. Else it is the one that has stood in a write for longest.
func (u *underway) displaceable(newcomer *connection, now int64) *connection {
	// Handlers that don't find out hold their memory as well.
	if u.ending > u.limit/8 {
		return nil
	}
	var stillest *connection
	oldest := now - int64(longStand)
	untaken := map[*connection]int{}
	for request, c := range u.requests {
		since := request.standing.Load()
		if since == 0 || c == newcomer {
			continue
		}
		if since <= oldest {
			stillest, oldest = c, since
		}
		if c.requests > fewRequests && request.taken.Load() < aStart {
			untaken[c]++
		}
	}
	most := max(fewRequests, newcomer.requests+1)
	for c, count := range untaken {
		if count > most {
			stillest, most = c, count
		}
	}
	return stillest
}

// displace has a connection's requests hold no places any more.
func (u *underway) displace(c *connection) {
	for request, of := range u.requests {
		if of == c {
			delete(u.requests, request)
			u.ending++
		}
	}
}

func (u *underway) end(request *writer) {
	if _, holds := u.requests[request]; holds {
		delete(u.requests, request)
	} else {
		u.ending--
	}
}

var start = time.Now()

// sinceStart is a time that no setting of a clock moves.
func sinceStart(at time.Time) int64 { return int64(at.Sub(start)) }
