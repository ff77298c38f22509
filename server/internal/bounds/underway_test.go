package bounds

import (
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// standing is a handler whose answers are longer than net/http's buffer, and how often it began to
// make one that nobody takes, and ended.
func standing(begun, ended *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" {
			return
		}
		begun.Add(1)
		defer ended.Add(1)
		for err := error(nil); err == nil; {
			_, err = w.Write(make([]byte, 10<<10))
		}
	}
}

// TestStandingAnswers take every place, and make room for one who takes what it asks for: the
// connection at once that has many, one of several that have few after a while.
func TestStandingAnswers(t *testing.T) {
	for name, each := range map[string]struct {
		connections, requests int
		gone                  int64
		patient               bool
	}{
		"many of a connection": {1, 40, 40, false},
		"few of a connection":  {8, 5, 5, true},
	} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, http2 bool) {
				limits := generous()
				limits.Requests = 40
				var begun, ended atomic.Int64
				server := serve(t, limits, standing(&begun, &ended))
				for range each.connections {
					ask(t, server, each.requests, 0)
				}
				eventually(t, "answers that stand", func() bool { return begun.Load() == int64(limits.Requests) })
				c := client(server, http2)
				get := func() int {
					response, err := c.Get(server.URL + "/other")
					if err != nil {
						t.Fatal(err)
					}
					response.Body.Close()
					return response.StatusCode
				}
				time.Sleep(50 * time.Millisecond)
				if each.patient {
					if status := get(); status != http.StatusServiceUnavailable {
						t.Errorf("at once: %d", status)
					}
					time.Sleep(longStand)
				}
				if status := get(); status != http.StatusOK {
					t.Errorf("got %d", status)
				}
				eventually(t, "an end", func() bool { return ended.Load() == each.gone })
			})
		})
	}
}

// TestDisplaceable has the connections a, b and n, of which n asks.
func TestDisplaceable(t *testing.T) {
	const (
		now   = int64(time.Hour)
		short = now - int64(longStand)/2
		long  = now - int64(longStand)
	)
	type requests struct {
		of              string
		count           int
		standing, taken int64
	}
	for name, test := range map[string]struct {
		underway []requests
		ending   int
		want     string
	}{
		"none stands":                     {[]requests{{"a", 100, 0, 0}}, 0, ""},
		"many":                            {[]requests{{"a", 9, short, 0}, {"b", 5, long, 0}}, 0, "a"},
		"more":                            {[]requests{{"a", 9, short, 0}, {"b", 10, short, 0}}, 0, "b"},
		"few":                             {[]requests{{"a", 8, short, 0}}, 0, ""},
		"few that stand long":             {[]requests{{"a", 2, long, 0}, {"b", 3, long - 1, 1 << 30}}, 0, "b"},
		"no more than the one that asks":  {[]requests{{"a", 10, short, 0}, {"n", 9, 0, 0}}, 0, ""},
		"many of the one that asks":       {[]requests{{"n", 90, long, 0}}, 0, ""},
		"a proxy whose clients are slow":  {[]requests{{"a", 90, short, aStart}}, 0, ""},
		"a proxy with a client that left": {[]requests{{"a", 90, short, aStart}, {"a", 1, long, aStart}}, 0, "a"},
		"many that have yet to end":       {[]requests{{"a", 90, long, 0}}, 13, ""},
	} {
		t.Run(name, func(t *testing.T) {
			connections := map[string]*connection{"": nil, "a": {}, "b": {}, "n": {}}
			u := newUnderway(100)
			u.ending = test.ending
			for _, each := range test.underway {
				for range each.count {
					request := &writer{}
					request.standing.Store(each.standing)
					request.taken.Store(each.taken)
					u.requests[request] = connections[each.of]
					connections[each.of].requests++
				}
			}
			if got := u.displaceable(connections["n"], now); got != connections[test.want] {
				t.Errorf("not %q", test.want)
			}
		})
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
	stands.standing.Store(sinceStart(time.Now().Add(-2 * longStand)))
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
	if len(l.underway.requests) != 0 || l.underway.ending != 0 || l.waiting.Len() != 1 {
		t.Errorf("%d under way, %d ending, %d waiting", len(l.underway.requests), l.underway.ending, l.waiting.Len())
	}
}

// TestLinesOfHeader are as many as clients have, or too many to keep.
func TestLinesOfHeader(t *testing.T) {
	inBoth(t, func(t *testing.T, http2 bool) {
		var kept atomic.Bool
		server := serve(t, generous(), func(http.ResponseWriter, *http.Request) { kept.Store(true) })
		// net/http adds two.
		for count, want := range map[int]int{mostLines - 2: http.StatusOK, mostLines - 1: http.StatusRequestHeaderFieldsTooLarge} {
			kept.Store(false)
			request, err := http.NewRequest(http.MethodGet, server.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range count {
				request.Header.Add(fmt.Sprintf("X-%d", i/2), "")
			}
			response, err := client(server, http2).Do(request)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if response.StatusCode != want || kept.Load() != (want == http.StatusOK) {
				t.Errorf("%d lines: %s %s", count, response.Status, text)
			}
			if !http2 && response.Close != (want != http.StatusOK) {
				t.Errorf("%d lines: the connection ends: %v", count, response.Close)
			}
		}
	})
}
