// Package bounds keeps clients, whoever they are, from taking the server's memory and
// connections: they wait, or are told to come back.
package bounds

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/distribution/distribution/v3/registry/api/errcode"

	"container-registry/server/internal/healthcheck"
)

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

// inner is the connection that all others are around.
func inner(c net.Conn) net.Conn {
	for {
		outer, ok := c.(wrapper)
		if !ok {
			return c
		}
		c = outer.NetConn()
	}
}

// mostLines is four times what browsers send by way of several proxies.
const mostLines = 200

// Handler goes around all others. When there are too many requests, refuse answers all but
// health checks; what it answers is TooMany.
func (g *Guard) Handler(next, refuse http.Handler) http.Handler {
	begun := &g.connections.arriving.begun
	return http.HandlerFunc(func(plain http.ResponseWriter, r *http.Request) {
		begun.Add(1)
		defer begun.Add(-1)
		// The engine asks for a form before it knows the client, and net/http would read all
		// of the body to find one. Clients of a registry put nothing there but in the query.
		r.Form = r.URL.Query()
		long := lines(r.Header) > mostLines
		if long {
			// net/http holds the request until the client has taken the answer.
			r.Header = nil
		}
		c, known := r.Context().Value(connectionKey{}).(*connection)
		w, r := paced(plain, r, g.limits, c)
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
