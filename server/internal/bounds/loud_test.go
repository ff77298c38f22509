package bounds

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"container-registry/server/internal/poll"

	"golang.org/x/net/http2"
)

// say has the client of a connection send so much.
func say(t *testing.T, c *connection, client net.Conn, bytes int) {
	t.Helper()
	go func() { _, _ = client.Write(make([]byte, bytes)) }()
	if _, err := io.ReadFull(c, make([]byte, bytes)); err != nil {
		t.Error(err)
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

// TestLoudConnections has more of them than there may be.
func TestLoudConnections(t *testing.T) {
	l := newConnections(Limits{Connections: 10, Requests: 10, Loud: 2})
	connect := func() (*connection, net.Conn) { return pipe(t, l) }
	quiet, far := connect()
	for range 3 {
		say(t, quiet, far, MostUnasked)
		request := &writer{}
		quiet.begin(request, false)
		say(t, quiet, far, 3*MostUnasked)
		quiet.end(request)
	}
	asking, far := connect()
	say(t, asking, far, MostUnasked+1)
	request := &writer{}
	asking.begin(request, false)
	var loud []*connection
	for range 3 {
		c, far := connect()
		say(t, c, far, MostUnasked+1)
		loud = append(loud, c)
	}
	for i, each := range []struct {
		*connection
		closed bool
	}{{quiet, false}, {asking, false}, {loud[0], true}, {loud[1], false}, {loud[2], false}} {
		if each.connection.closed != each.closed {
			t.Errorf("connection %d: closed is %v", i, each.connection.closed)
		}
	}
	// What it has asked since does not make it another.
	asking.end(request)
	if !loud[1].closed || asking.closed || l.loud.Len() != 2 {
		t.Errorf("after a request of one that is loud there are %d", l.loud.Len())
	}
	asking.Close()
	loud[2].Close()
	if l.loud.Len() != 0 || l.open != 1 {
		t.Errorf("%d are loud, %d are open", l.loud.Len(), l.open)
	}
}

// TestPings are answered by net/http, which keeps room for the answers.
func TestPings(t *testing.T) {
	limits := generous()
	limits.Loud = 1
	server := serve(t, limits, func(http.ResponseWriter, *http.Request) {})
	var ping bytes.Buffer
	if err := http2.NewFramer(&ping, nil).WritePing(false, [8]byte{}); err != nil {
		t.Fatal(err)
	}
	var clients []*tls.Conn
	for range 2 {
		c := ask(t, server, 0, 1<<16)
		if _, err := c.Write(bytes.Repeat(ping.Bytes(), 9_000)); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
	}
	// Which of them the server heard first is its own affair.
	poll.Until(t, "an end of one that pinged", func() bool {
		return slices.ContainsFunc(clients, func(c *tls.Conn) bool {
			_, err := c.Write(ping.Bytes())
			return err != nil
		})
	})
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
