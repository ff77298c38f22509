// Package bounds keeps clients, whoever they are, from taking the server's memory and
// connections: they wait, or are told to come back.
package bounds

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/distribution/distribution/v3/registry/api/errcode"

	"container-registry/server/internal/healthcheck"
)

// Limits are what a server bears.
type Limits struct {
	// Connections are open at the same time, Requests under way. There are fewer requests,
	// so that there is always a connection that can make room for a new one.
	Connections, Requests int
	// Loud connections have sent more than MostUnasked between two requests.
	Loud int
	// Ample are the connections for which the kernel may hold all that it likes, 4 MiB of what
	// their clients don't take; it counts as the container's memory.
	Ample int
	// Patience is how long the server waits for a client that moves no bytes; see patience.
	Patience time.Duration
	// Rest is how long a client may send what is not read any more, such as the body of a
	// request without a login.
	Rest time.Duration
}

// LimitsOf suits a server with this much memory. A connection costs 40 KiB with TLS, a
// request on it its buffers. A header of many short lines costs ten times as much, and so do
// pings of HTTP/2: net/http keeps room for as many answers as once waited.
func LimitsOf(memory int64) Limits {
	connections := int(memory / (512 << 10))
	return Limits{
		Connections: connections,
		Requests:    connections * 3 / 4,
		Loud:        connections / 8,
		Ample:       connections / 32,
		Patience:    time.Minute,
		Rest:        5 * time.Second,
	}
}

// Memory is what GOMEMLIMIT allows, or a gigabyte.
func Memory() int64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return limit
	}
	return 1 << 30
}

// LeaveRoom has garbage collected an eighth before the limit, from which all bounds are known by
// then: what thousands of new connections allocate meanwhile has ended a server whose container
// has a tenth more.
func LeaveRoom() {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		debug.SetMemoryLimit(limit - limit/8)
	}
}

// Guard bounds one server.
type Guard struct {
	limits      Limits
	connections *connections
	leaving     *leaving
}

// New makes the guard of one server.
func New(limits Limits) *Guard {
	return &Guard{limits: limits, connections: newConnections(limits), leaving: newLeaving(limits.Requests)}
}

// Protect has an HTTP server listen by it, by each of its listeners. Its handler must be
// Handler's.
func (g *Guard) Protect(server *http.Server, listener net.Listener) net.Listener {
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if outer, ok := c.(wrapper); ok {
			c = outer.NetConn()
		}
		return context.WithValue(ctx, connectionKey{}, c)
	}
	// The deadline of an answer ends its stream, and no stream ends while its connection
	// takes nothing.
	if server.HTTP2 == nil {
		server.HTTP2 = &http.HTTP2Config{}
	}
	server.HTTP2.WriteByteTimeout = g.limits.Patience
	return guarded{listener, g.connections}
}

type connectionKey struct{}

// wrapper is a connection around another, as that of TLS.
type wrapper interface{ NetConn() net.Conn }

// mostLines is four times what browsers send by way of several proxies.
const mostLines = 200

// Handler goes around all others. When there are too many requests, refuse answers all but
// health checks; what it answers is TooMany.
func (g *Guard) Handler(next, refuse http.Handler) http.Handler {
	return http.HandlerFunc(func(plain http.ResponseWriter, r *http.Request) {
		// The engine asks for a form before it knows the client, and net/http would read all
		// of the body to find one. Clients of a registry put nothing there but in the query.
		r.Form = r.URL.Query()
		long := lines(r.Header) > mostLines
		if long {
			// net/http holds the request until the client has taken the answer.
			r.Header = nil
		}
		w, r := paced(plain, r, g.limits)
		c, known := r.Context().Value(connectionKey{}).(*connection)
		if known && r.ProtoMajor > 1 {
			defer w.leave(c, g.leaving)
		} else {
			defer w.end()
		}
		if long {
			if r.ProtoMajor == 1 {
				w.Header().Set("Connection", "close")
			}
			http.Error(w, fmt.Sprintf("a header has at most %d lines", mostLines), http.StatusRequestHeaderFieldsTooLarge)
			return
		}
		if known {
			if !c.begin(w, r.URL.Path == "/" || r.URL.Path == healthcheck.Path) {
				refuse.ServeHTTP(w, r)
				return
			}
			defer c.end(w)
		}
		next.ServeHTTP(w, r)
	})
}

func lines(header http.Header) (n int) {
	for _, values := range header {
		n += len(values)
	}
	return n
}

// TooMany refuses a request.
func TooMany(w http.ResponseWriter, _ *http.Request) {
	Unavailable(w, "too many requests at once", time.Second)
}

// Unavailable says when to come back.
func Unavailable(w http.ResponseWriter, reason string, after time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)))
	// The client is gone when this fails.
	_ = errcode.ServeJSON(w, errcode.ErrorCodeUnavailable.WithMessage(reason+"; try again"))
}
