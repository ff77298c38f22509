package bounds

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"container-registry/server/internal/poll"
)

// say has the client of a connection send so much, which is read, and then something more.
func say(t *testing.T, c *connection, client net.Conn, bytes int) {
	t.Helper()
	go func() { _, _ = client.Write(make([]byte, bytes+1)) }()
	for _, length := range []int{bytes, 1} {
		if _, err := io.ReadFull(c, make([]byte, length)); err != nil {
			t.Error(err)
		}
	}
}

// pipe is a connection, and its client's end.
func pipe(t *testing.T, among *connections) (*connection, net.Conn) {
	t.Helper()
	near, far := net.Pipe()
	c := among.add(near)
	t.Cleanup(func() { c.Close() })
	return c, far
}

// TestLoudConnections has one say more than a request begins with, before and while it has one.
func TestLoudConnections(t *testing.T) {
	for name, each := range map[string]struct {
		// Before a request, and while it is under way.
		before, within int
		stands         bool // what is sent to it, meanwhile
		taken          int  // by the handler of the request
		loud, stays    bool // then, and after its next request
	}{
		"little before":          {MostUnasked - 1, 0, false, 0, false, false},
		"a long header":          {MostUnasked + 1, 0, false, 0, false, false},
		"a body":                 {0, 3 * MostUnasked, false, 0, false, false},
		"a body of a deaf one":   {0, 3 * MostUnasked, true, 3 * MostUnasked, false, false},
		"a deaf one says little": {0, MostUnasked - 1, true, 0, false, false},
		"a deaf one says much":   {0, MostUnasked + 1, true, 0, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := newConnections(Limits{Connections: 10, Requests: 10, Loud: 10})
			c, far := pipe(t, l)
			say(t, c, far, each.before)
			if got := c.placeLoud != nil; got != (each.before > MostUnasked) {
				t.Errorf("before its request it is loud: %v", got)
			}
			request := &writer{}
			c.begin(request, false)
			var write sync.WaitGroup
			if each.stands {
				write.Go(func() { _, _ = c.Write([]byte("an answer")) })
				poll.Until(t, "a write", func() bool { return c.standing.Load() != 0 })
			}
			time.AfterFunc(shortStand/5, func() { c.forget(int64(each.taken)) })
			say(t, c, far, each.within)
			if got := c.placeLoud != nil; got != each.loud {
				t.Errorf("in its request it is loud: %v", got)
			}
			go func() { _, _ = io.Copy(io.Discard, far) }()
			write.Wait()
			c.end(request)
			c.begin(request, false)
			if got := c.placeLoud != nil; got != each.stays {
				t.Errorf("in the next it is loud: %v", got)
			}
		})
	}
}

// TestManyLoudConnections are more than there may be, of which one has a request.
func TestManyLoudConnections(t *testing.T) {
	l := newConnections(Limits{Connections: 10, Requests: 10, Loud: 2})
	var loud []*connection
	for i := range 4 {
		c, far := pipe(t, l)
		if i == 0 {
			c.begin(&writer{}, false)
			go func() { _, _ = c.Write([]byte("an answer")) }()
			poll.Until(t, "a write", func() bool { return c.standing.Load() != 0 })
		}
		say(t, c, far, MostUnasked+1)
		loud = append(loud, c)
	}
	for i, c := range loud {
		if c.closed != (i < 2) {
			t.Errorf("connection %d: closed is %v", i, c.closed)
		}
	}
	for _, c := range loud {
		c.Close()
	}
	if l.loud.Len() != 0 || len(l.waiting.order) != 0 || l.open != 0 {
		t.Errorf("%d are loud, %d wait, %d are open", l.loud.Len(), len(l.waiting.order), l.open)
	}
}

// gated hands on nothing that it read while its gate is held.
type gated struct {
	net.Conn
	gate *sync.RWMutex
}

func (g gated) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	g.gate.RLock()
	defer g.gate.RUnlock()
	return n, err
}

// TestUploadOfClientThatTakesNothing has it take nothing for a while, and then all, on the one
// connection by which it sends a layer.
func TestUploadOfClientThatTakesNothing(t *testing.T) {
	const layer, answer, answers = 64 << 20, 4 << 20, 4
	var received atomic.Int64
	server := serve(t, LimitsOf(460<<20, math.MaxUint64), func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = w.Write(make([]byte, answer))
			return
		}
		buffer := make([]byte, 32<<10)
		for {
			n, err := r.Body.Read(buffer)
			received.Add(int64(n))
			if err != nil {
				fmt.Fprint(w, received.Load())
				return
			}
		}
	})
	c := client(server, true)
	var gate sync.RWMutex
	c.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		dialed, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return gated{dialed, &gate}, err
	}
	fetch := func(method string, body io.Reader) string {
		request, err := http.NewRequest(method, server.URL, body)
		if err != nil {
			t.Error(err)
			return ""
		}
		response, err := c.Do(request)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	fetch(http.MethodGet, nil)
	gate.Lock()
	var requests sync.WaitGroup
	for range answers {
		requests.Go(func() {
			if got := len(fetch(http.MethodGet, nil)); got != answer {
				t.Errorf("got %d bytes of an answer", got)
			}
		})
	}
	requests.Go(func() {
		if got := fetch(http.MethodPost, bytes.NewReader(make([]byte, layer))); got != fmt.Sprint(layer) {
			t.Errorf("sent %s bytes of a layer", got)
		}
	})
	poll.Until(t, "more of the layer", func() bool { return received.Load() > 10*MostUnasked })
	gate.Unlock()
	requests.Wait()
}
