package bounds

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"container-registry/server/internal/poll"

	"golang.org/x/net/http2"
)

// serveStanding has places for so many answers that are longer than net/http's buffer, and counts those
// that began, and those that ended.
func serveStanding(t *testing.T, places int) (server *httptest.Server, begun, ended *atomic.Int64) {
	t.Helper()
	limits := generous()
	limits.Requests = places
	begun, ended = &atomic.Int64{}, &atomic.Int64{}
	return serve(t, limits, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			return
		}
		begun.Add(1)
		defer ended.Add(1)
		for err := error(nil); err == nil; {
			_, err = w.Write(make([]byte, 10<<10))
		}
	}), begun, ended
}

// TestStandingAnswers take every place, and make room for one who takes what it asks for: the
// connection soon that has many, of those that have few a stream after a while, or a connection of
// which nothing is read.
func TestStandingAnswers(t *testing.T) {
	for name, each := range map[string]struct {
		connections, requests int
		window                uint32
		gone                  int64
		patience              time.Duration
	}{
		"many of a connection":                         {1, 40, 0, 40, shortStand * 3 / 2},
		"few of a connection":                          {8, 5, 0, 1, aStand},
		"few of a connection of which nothing is read": {8, 5, 1<<31 - 1, 5, longStand},
	} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, http2 bool) {
				t.Parallel()
				const places = 40
				server, begun, ended := serveStanding(t, places)
				for range each.connections {
					ask(t, server, each.requests, each.window)
				}
				poll.Until(t, "answers that stand", func() bool { return begun.Load() == places })
				if status := get(t, server, http2); status != http.StatusServiceUnavailable {
					t.Errorf("at once: %d", status)
				}
				time.Sleep(each.patience)
				if status := get(t, server, http2); status != http.StatusOK {
					t.Errorf("got %d", status)
				}
				poll.Until(t, "an end", func() bool { return ended.Load() == each.gone })
			})
		})
	}
}

// get has another client ask for something that is answered at once.
func get(t *testing.T, server *httptest.Server, http2 bool) int {
	t.Helper()
	response, err := client(server, http2).Get(server.URL + "/other")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// TestManyThatMove have one slow line, and take little each. None of them ends for another client.
func TestManyThatMove(t *testing.T) {
	t.Parallel()
	const places = 40
	server, begun, ended := serveStanding(t, places)
	c := ask(t, server, places, 1<<31-1)
	slowly(t, c, 500<<10)
	poll.Until(t, "answers", func() bool { return begun.Load() == places })
	newcomersRefused(t, server)
	if ended.Load() > 0 {
		t.Errorf("%d ended", ended.Load())
	}
}

// slowly takes so many bytes a second of what is sent, and makes up for what a busy machine keeps it from.
func slowly(t *testing.T, c *tls.Conn, rate int) {
	t.Helper()
	if err := c.NetConn().(*net.TCPConn).SetReadBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	begin, taken := time.Now(), 0
	go func() {
		for err := error(nil); err == nil && rate > 0; time.Sleep(20 * time.Millisecond) {
			due := int(time.Since(begin).Seconds() * float64(rate))
			_, err = io.ReadFull(c, make([]byte, due-taken))
			taken = due
		}
	}()
}

// newcomersRefused has clients come for a while, as all who have places move.
func newcomersRefused(t *testing.T, server *httptest.Server) {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 3*aStand; time.Sleep(shortStand) {
		if status := get(t, server, false); status != http.StatusServiceUnavailable {
			t.Fatalf("got %d", status)
		}
	}
}

// newcomersServed has clients come until one that stands has left.
func newcomersServed(t *testing.T, server *httptest.Server) {
	t.Helper()
	begin := time.Now()
	poll.Until(t, "room", func() bool {
		time.Sleep(shortStand)
		return get(t, server, false) == http.StatusOK
	})
	if waited := time.Since(begin); waited < aStand/2 || waited > 2*longStand {
		t.Errorf("room after %v", waited)
	}
}

// TestSteadyConnections take 16 KB a second each, beside one of which nothing is read.
func TestSteadyConnections(t *testing.T) {
	t.Parallel()
	const places = 5
	server, begun, ended := serveStanding(t, places)
	trusting := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trusting.NextProtos = nil
	pull := func(rate int) {
		c, err := tls.Dial("tcp", server.Listener.Addr().String(), trusting)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		slowly(t, c, rate)
		fmt.Fprint(c, "GET /v2/ HTTP/1.1\r\nHost: registry\r\n\r\n")
	}
	pull(0)
	for range places - 1 {
		pull(16 << 10)
	}
	poll.Until(t, "answers", func() bool { return begun.Load() == places })
	newcomersServed(t, server)
	pull(16 << 10)
	poll.Until(t, "another answer", func() bool { return begun.Load() == places+1 })
	newcomersRefused(t, server)
	if ended.Load() != 1 {
		t.Errorf("%d ended", ended.Load())
	}
}

// TestStreamThatStands ends alone: the others of its connection move.
func TestStreamThatStands(t *testing.T) {
	t.Parallel()
	const places = 5
	server, begun, ended := serveStanding(t, places)
	c := ask(t, server, places, 0)
	frames := http2.NewFramer(c, c)
	taken := map[uint32]int{}
	reset := make(chan uint32, places)
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			frame, err := frames.ReadFrame()
			if err != nil {
				return
			}
			switch frame.(type) {
			case *http2.DataFrame:
				taken[frame.Header().StreamID] += int(frame.Header().Length)
			case *http2.RSTStreamFrame:
				reset <- frame.Header().StreamID
			}
		}
	}()
	go func() {
		for err := error(nil); err == nil; time.Sleep(50 * time.Millisecond) {
			for stream := uint32(3); stream < 11 && err == nil; stream += 2 {
				err = frames.WriteWindowUpdate(stream, 4<<10)
			}
		}
	}()
	poll.Until(t, "answers", func() bool { return begun.Load() == places })
	newcomersServed(t, server)
	slowly(t, ask(t, server, 1, 1<<31-1), 16<<10)
	poll.Until(t, "another answer", func() bool { return begun.Load() == places+1 })
	newcomersRefused(t, server)
	if stream := <-reset; stream != 1 || ended.Load() != 1 {
		t.Errorf("stream %d was reset, %d ended", stream, ended.Load())
	}
	c.Close()
	<-over
	for stream := uint32(3); stream < 11; stream += 2 {
		if taken[stream] < aStart {
			t.Errorf("%d bytes of stream %d", taken[stream], stream)
		}
	}
}

// TestDisplaceable has the connections a, b and n, of which n asks, and one of HTTP/1. Some may have
// been sent by a and that one, and stand on its way.
func TestDisplaceable(t *testing.T) {
	const (
		now   = int64(time.Hour)
		first = now - int64(shortStand) + 1
		short = now - int64(shortStand)
		long  = now - int64(aStand)
		ever  = now - int64(longStand)
	)
	enough := int64(shortStand / perByte)
	type requests struct {
		of              string
		count           int
		standing, taken int64
	}
	type socket struct{ standing, sent int64 }
	for name, test := range map[string]struct {
		underway []requests
		socket   socket
		ending   int
		want     string
	}{
		"none stands":                     {[]requests{{"a", 100, 0, 0}}, socket{}, 0, ""},
		"many":                            {[]requests{{"a", 9, short, 0}, {"b", 5, long, 0}}, socket{}, 0, "all of a"},
		"more":                            {[]requests{{"a", 9, short, 0}, {"b", 10, short, 0}}, socket{}, 0, "all of b"},
		"many that just began":            {[]requests{{"a", 90, first, 0}}, socket{}, 0, ""},
		"many that move":                  {[]requests{{"a", 90, short, 0}}, socket{now, 90 * enough}, 0, ""},
		"many that hardly do":             {[]requests{{"a", 90, short, 0}}, socket{now, 90*enough - 1}, 0, "all of a"},
		"many that move slowly":           {[]requests{{"a", 90, ever, 0}}, socket{now, 90 * 5000}, 0, "one of a"},
		"few":                             {[]requests{{"a", 8, short, 0}}, socket{}, 0, ""},
		"few that stand long":             {[]requests{{"a", 2, long, 0}, {"b", 3, long - 1, 1 << 30}}, socket{}, 0, "one of b"},
		"a client that reads nothing":     {[]requests{{"a", 2, long - 2, 0}, {"b", 3, long + 1, 0}}, socket{long, 0}, 0, "all of a"},
		"one who was still for longer":    {[]requests{{"a", 2, long - 2, 0}, {"b", 3, long - 1, 0}}, socket{long, 0}, 0, "one of b"},
		"no more than the one that asks":  {[]requests{{"a", 10, short, 0}, {"n", 9, 0, 0}}, socket{}, 0, ""},
		"many of the one that asks":       {[]requests{{"n", 90, long, 0}}, socket{}, 0, ""},
		"a proxy whose clients are slow":  {[]requests{{"a", 90, short, aStart}}, socket{}, 0, ""},
		"a proxy with a client that left": {[]requests{{"a", 90, short, aStart}, {"a", 1, long, aStart}}, socket{}, 0, "one of a"},
		"many that have yet to end":       {[]requests{{"a", 90, long, 0}}, socket{}, 13, ""},
		"HTTP/1":                          {[]requests{{"one", 1, long - 1, 0}}, socket{long, 0}, 0, "all of one"},
		"HTTP/1 that takes more":          {[]requests{{"one", 1, long - 1, 0}}, socket{long + 1, 0}, 0, ""},
		"HTTP/1 that moves":               {[]requests{{"one", 1, long, 0}}, socket{long, 1000}, 0, ""},
		"HTTP/1 that moved before":        {[]requests{{"one", 1, ever, 0}}, socket{ever, 1 << 30}, 0, "all of one"},
		"a stream that moved before":      {[]requests{{"a", 1, ever, 0}, {"a", 8, long, 0}}, socket{0, 1 << 30}, 0, "one of a"},
	} {
		t.Run(name, func(t *testing.T) {
			connections := map[string]*connection{"a": {}, "b": {}, "n": {}, "one": {}}
			for _, of := range []string{"a", "one"} {
				connections[of].standing.Store(test.socket.standing)
				connections[of].sent.Store(test.socket.sent)
			}
			u := newUnderway(100)
			u.ending = test.ending
			for _, each := range test.underway {
				for range each.count {
					request := &writer{stream: each.of != "one"}
					request.standing.Store(each.standing)
					request.taken.Store(each.taken)
					u.add(request, connections[each.of])
					connections[each.of].requests++
				}
			}
			displaced, got := u.displaceable(connections["n"], now), ""
			for name, c := range connections {
				switch {
				case c != displaced.connection:
				case displaced.request == nil:
					got = "all of " + name
				case displaced.request.standing.Load() <= long:
					got = "one of " + name
				}
			}
			if got != test.want {
				t.Errorf("%q, not %q", got, test.want)
			}
		})
	}
}

// at is a connection from the address with this letter.
func at(letter rune) *connection {
	return &connection{network: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(letter)}), 32)}
}

// TestCrowding has requests of addresses that all move: letters are addresses, n asks.
func TestCrowding(t *testing.T) {
	for _, test := range []struct {
		name, underway, want string
	}{
		{"an address with more than a quarter", strings.Repeat("a", 9) + "bcdefgh" + strings.Repeat("b", 7) + "cdefghijk", "a"},
		{"the one with most", strings.Repeat("a", 10) + strings.Repeat("b", 12) + strings.Repeat("c", 10), "b"},
		{"none with more than a quarter", strings.Repeat("abcd", 8), ""},
		{"the newcomer's own", strings.Repeat("n", 32), ""},
		{"a newcomer with a few", "nn" + strings.Repeat("a", 30), "a"},
		{"a newcomer with more", "nnn" + strings.Repeat("a", 29), ""},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, by HTTP/2: %v", test.name, stream), func(t *testing.T) {
				u := newUnderway(32)
				var all []*writer
				for i, letter := range test.underway {
					request := &writer{stream: stream, began: int64(len(test.underway) - i)}
					u.add(request, at(letter))
					all = append(all, request)
				}
				// The oldest one is the last.
				last := strings.LastIndex(test.underway, test.want)
				got := u.displaceable(at('n'), int64(time.Hour))
				switch {
				case test.want == "":
					if got.connection != nil {
						t.Error("one makes room")
					}
				case got.connection != u.requests[all[last]], got.request != nil && got.request != all[last], stream != (got.request != nil):
					t.Errorf("got %v", got)
				}
			})
		}
	}
}

// TestVainLooksOfCrowd keep nobody else from one.
func TestVainLooksOfCrowd(t *testing.T) {
	u := newUnderway(32)
	for range 32 {
		u.add(&writer{}, at('a'))
	}
	if left := u.look(at('a'), int64(time.Hour)); left.connection != nil {
		t.Error("a crowd makes room for itself")
	}
	if left := u.look(at('n'), int64(time.Hour)+1); left.connection == nil {
		t.Error("it makes no room for another")
	}
}

// TestLook has requests ask for room, each at its own moment, of whom one stands from the beginning on.
func TestLook(t *testing.T) {
	u := newUnderway(100)
	stands := &connection{requests: 1}
	request := &writer{}
	u.add(request, stands)
	first := int64(time.Hour)
	for _, each := range []struct {
		at    int64
		found bool
	}{
		{first, false},
		{first + int64(betweenLooks) - 1, false},
		{first + int64(betweenLooks), true},
		{first + int64(betweenLooks) + 1, true},
	} {
		if got := u.look(&connection{}, each.at).connection != nil; got != each.found {
			t.Errorf("after %s somebody makes room: %v", time.Duration(each.at-first), got)
		}
		stands.standing.Store(1)
		request.standing.Store(1)
	}
}

// TestRequestsOfConnectionThatMadeRoom hold no place, and get none.
func TestRequestsOfConnectionThatMadeRoom(t *testing.T) {
	limits := generous()
	limits.Requests = 1
	l := newConnections(limits)
	first, far := pipe(t, l)
	defer far.Close()
	second, far := pipe(t, l)
	defer far.Close()
	stands, other := &writer{}, &writer{}
	since := sinceStart(time.Now().Add(-2 * longStand))
	first.standing.Store(since)
	stands.standing.Store(since)
	if !first.begin(stands, false) || !second.begin(other, false) {
		t.Fatal("no place")
	}
	if first.begin(&writer{}, false) {
		t.Error("another request of it began")
	}
	if l.underway.ending != 1 || !first.closed {
		t.Errorf("%d are ending, closed is %v", l.underway.ending, first.closed)
	}
	first.end(stands)
	second.end(other)
	if len(l.underway.requests) != 0 || len(l.underway.numbers) != 0 || l.underway.ending != 0 || len(l.waiting.order) != 1 {
		t.Errorf("%d under way, %d ending, %d waiting", len(l.underway.requests), l.underway.ending, len(l.waiting.order))
	}
}

// TestLinesOfHeader are as many as clients have, or too many to keep. A proxy's connection of HTTP/2
// stays for its other clients.
func TestLinesOfHeader(t *testing.T) {
	inBoth(t, func(t *testing.T, http2 bool) {
		var kept atomic.Bool
		server := serve(t, generous(), func(http.ResponseWriter, *http.Request) { kept.Store(true) })
		c := client(server, http2)
		// net/http adds two.
		for i, count := range []int{mostLines - 1, mostLines - 2} {
			want := http.StatusOK
			if i == 0 {
				want = http.StatusRequestHeaderFieldsTooLarge
			}
			kept.Store(false)
			request, err := http.NewRequest(http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range count {
				request.Header.Add(fmt.Sprintf("X-%d", i/2), "")
			}
			var reused bool
			response, err := c.Do(request.WithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				GotConn: func(got httptrace.GotConnInfo) { reused = got.Reused },
			})))
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if response.StatusCode != want || kept.Load() != (want == http.StatusOK) {
				t.Errorf("%d lines: %s %s", count, response.Status, text)
			}
			if i == 1 && reused != http2 {
				t.Errorf("the connection goes on after a refusal: %v", reused)
			}
		}
	})
}

// TestVainLooksOfOne have nobody else wait.
func TestVainLooksOfOne(t *testing.T) {
	l := newConnections(Limits{Connections: 3, Requests: 1, Loud: 3, Arriving: 1})
	one, other := &connection{among: l, requests: 1}, &connection{among: l}
	stands := &writer{}
	stands.standing.Store(1)
	one.standing.Store(1)
	l.underway.add(stands, one)
	now := int64(time.Hour)
	if left := l.underway.look(one, now); left.connection != nil {
		t.Fatal("it makes room for itself")
	}
	if left := l.underway.look(other, now+1); left.connection != one {
		t.Error("nobody makes room for another")
	}
}
