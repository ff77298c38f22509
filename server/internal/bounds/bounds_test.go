package bounds

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"testing"
	"time"
)

func serve(t *testing.T, limits Limits, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	g := New(limits)
	server.Config.Handler = g.Handler(handler, http.HandlerFunc(TooMany))
	server.Listener = g.Protect(server.Config, server.Listener)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func generous() Limits {
	return Limits{Connections: 100, Requests: 75, Loud: 10, Patience: time.Hour, Rest: 50 * time.Millisecond}
}

// client speaks one version of HTTP.
func client(server *httptest.Server, http2 bool) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	trusting := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trusting.NextProtos = nil
	return &http.Client{Transport: &http.Transport{TLSClientConfig: trusting, Protocols: protocols}}
}

func inBoth(t *testing.T, test func(t *testing.T, http2 bool)) {
	t.Run("HTTP/1", func(t *testing.T) { test(t, false) })
	t.Run("HTTP/2", func(t *testing.T) { test(t, true) })
}

// TestFormsAreNotRead asks for a form, as the engine does, while the client goes on sending.
func TestFormsAreNotRead(t *testing.T) {
	inBoth(t, func(t *testing.T, http2 bool) {
		server := serve(t, generous(), func(w http.ResponseWriter, r *http.Request) {
			if got := r.FormValue("from"); got != "query" {
				t.Errorf("from is %q", got)
			}
			w.WriteHeader(http.StatusUnauthorized)
		})
		for _, kind := range []string{"multipart/form-data; boundary=x", "application/x-www-form-urlencoded"} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
				body, more := io.Pipe()
				request, err := http.NewRequest(method, server.URL+"/v2/a/manifests/b?from=query", body)
				if err != nil {
					t.Fatal(err)
				}
				request.Header.Set("Content-Type", kind)
				go func() { _, _ = io.WriteString(more, "from=body&") }()
				response, err := client(server, http2).Do(request)
				if err != nil {
					t.Fatal(err)
				}
				response.Body.Close()
				more.Close()
				if response.StatusCode != http.StatusUnauthorized {
					t.Errorf("%s of %s: %s", method, kind, response.Status)
				}
			}
		}
	})
}

// TestStalledBody has a client that stops in the middle of a body.
func TestStalledBody(t *testing.T) {
	const short = 50 * time.Millisecond
	for name, hurried := range map[string]bool{"for all requests": false, "for one": true} {
		t.Run(name, func(t *testing.T) {
			inBoth(t, func(t *testing.T, http2 bool) {
				limits := generous()
				if !hurried {
					limits.Patience = short
				}
				ended := make(chan error, 1)
				server := serve(t, limits, func(_ http.ResponseWriter, r *http.Request) {
					if hurried {
						Hurry(r, short)
					}
					_, err := io.Copy(io.Discard, r.Body)
					ended <- err
				})
				body, more := io.Pipe()
				defer more.Close()
				go func() { _, _ = io.WriteString(more, "half") }()
				request, _ := http.NewRequest(http.MethodPut, server.URL, body)
				if response, err := client(server, http2).Do(request); err == nil {
					response.Body.Close()
				}
				if err := <-ended; err == nil || errors.Is(err, io.EOF) {
					t.Errorf("the body ended by %v", err)
				}
			})
		})
	}
}

// TestStalledReader has a client that takes nothing of a large answer.
func TestStalledReader(t *testing.T) {
	inBoth(t, func(t *testing.T, http2 bool) {
		limits := generous()
		limits.Patience = 50 * time.Millisecond
		ended := make(chan error, 1)
		server := serve(t, limits, func(w http.ResponseWriter, _ *http.Request) {
			var err error
			for err == nil {
				_, err = w.Write(make([]byte, 32<<10))
			}
			ended <- err
		})
		response, err := client(server, http2).Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		<-ended
	})
}

// TestSlowButMoving has transfers that take longer than the server waits for one that
// stands still, on one connection.
func TestSlowButMoving(t *testing.T) {
	inBoth(t, func(t *testing.T, http2 bool) {
		limits := generous()
		limits.Patience = 300 * time.Millisecond
		server := serve(t, limits, func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				t.Error(err)
			}
			// The store takes its time, which is not the client's.
			time.Sleep(2 * limits.Patience)
			fmt.Fprintf(w, "%d bytes", n)
		})
		c := client(server, http2)
		for range 2 {
			const pieces = 20
			body, more := io.Pipe()
			go func() {
				for range pieces {
					_, _ = more.Write(make([]byte, 1000))
					time.Sleep(limits.Patience / 10)
				}
				more.Close()
			}()
			response, err := c.Post(server.URL, "application/octet-stream", body)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(response.Body)
			response.Body.Close()
			if want := fmt.Sprint(pieces*1000, " bytes"); string(text) != want || err != nil {
				t.Errorf("%q, %v, want %q", text, err, want)
			}
		}
	})
}

// TestLongAnswer is written at once, and taken for longer than the server waits for a client that
// stands still.
func TestLongAnswer(t *testing.T) {
	inBoth(t, func(t *testing.T, http2 bool) {
		limits := generous()
		limits.Patience = 500 * time.Millisecond
		const long = 16 << 20
		server := serve(t, limits, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, long)) })
		response, err := client(server, http2).Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		taken := 0
		for piece := make([]byte, 1<<20); err == nil; time.Sleep(limits.Patience / 5) {
			var n int
			n, err = io.ReadFull(response.Body, piece)
			taken += n
		}
		if taken != long {
			t.Errorf("%d bytes, %v", taken, err)
		}
	})
}

func TestPatience(t *testing.T) {
	p := patience{time.Minute, time.Minute}
	for _, step := range []struct {
		waited time.Duration
		moved  int
		left   time.Duration
	}{
		{10 * time.Second, 0, 50 * time.Second},
		{0, 1000, 51 * time.Second},
		{0, 1 << 20, time.Minute},
		{time.Hour, 1, time.Millisecond},
		{time.Millisecond, 0, 0},
	} {
		p.spend(step.waited, step.moved)
		if p.left != step.left {
			t.Errorf("after %v: %s", step, p.left)
		}
	}
}

// TestTooManyRequests has health checks answered all the same.
func TestTooManyRequests(t *testing.T) {
	limits := generous()
	limits.Requests = 1
	entered, leave := make(chan struct{}), make(chan struct{})
	server := serve(t, limits, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			entered <- struct{}{}
			<-leave
		}
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if response, err := server.Client().Get(server.URL + "/slow"); err == nil {
			response.Body.Close()
		}
	}()
	<-entered
	for path, want := range map[string]int{"/v2/": http.StatusServiceUnavailable, "/": http.StatusOK} {
		response, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if response.StatusCode != want || want != http.StatusOK && (response.Header.Get("Retry-After") != "1" || !bytes.Contains(text, []byte("too many requests at once"))) {
			t.Errorf("%s: %s %s", path, response.Status, text)
		}
	}
	close(leave)
	<-done
	response, err := server.Client().Get(server.URL + "/v2/")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %s", response.Status)
	}
}

// TestConnections has more clients that wait than there may be connections, beside one
// whose request is under way.
func TestConnections(t *testing.T) {
	limits := generous()
	limits.Connections, limits.Requests = 4, 3
	entered, leave := make(chan struct{}), make(chan struct{})
	server := serve(t, limits, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			entered <- struct{}{}
			<-leave
		}
		_, _ = io.WriteString(w, "done")
	})
	slow := make(chan string)
	go func() {
		response, err := server.Client().Get(server.URL + "/slow")
		if err != nil {
			slow <- err.Error()
			return
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		slow <- string(text)
	}()
	<-entered
	var idle []net.Conn
	for range 20 {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	response, err := client(server, false).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	// The first ones made room.
	for _, c := range idle[:16] {
		if _, err := bufio.NewReader(c).ReadByte(); err == nil {
			t.Error("an idle connection is open")
		}
	}
	close(leave)
	if got := <-slow; got != "done" {
		t.Errorf("the request under way: %s", got)
	}
}

// TestConnectionsInUse has every connection in use.
func TestConnectionsInUse(t *testing.T) {
	l := newConnections(Limits{Connections: 1, Requests: 1})
	near, _ := net.Pipe()
	first := l.add(near)
	request := &writer{}
	first.begin(request, false)
	if l.add(near) != nil {
		t.Error("one in use was displaced")
	}
	first.end(request)
	second := l.add(near)
	if second == nil || !first.closed {
		t.Error("one that waits was not displaced")
	}
	_ = first.Close()
	_ = second.Close()
	_ = second.Close()
	if l.open != 0 || len(l.waiting.order) != 0 {
		t.Errorf("%d open, %d waiting", l.open, len(l.waiting.order))
	}
}

// TestLeaveRoom is an eighth of a limit, where there is one.
func TestLeaveRoom(t *testing.T) {
	usual := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(usual)
	for limit, want := range map[int64]int64{800 << 20: 700 << 20, math.MaxInt64: math.MaxInt64} {
		debug.SetMemoryLimit(limit)
		LeaveRoom()
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("of %d: %d", limit, got)
		}
	}
}
