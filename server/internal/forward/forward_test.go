package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/proxied"
)

// patience is for what must happen; nothing is measured by it.
const patience = 10 * time.Second

// upstream serves each connection with a function, and tells where it listens.
func upstream(t *testing.T, address string, serve func(*net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				serve(connection.(*net.TCPConn))
			}()
		}
	}()
	return listener.Addr().String()
}

// echo answers everything with itself, once the client has ended its half.
func echo(connection *net.TCPConn) {
	content, _ := io.ReadAll(connection)
	_, _ = connection.Write(content)
}

// running is a forwarder under test.
type running struct {
	*Forwarder
	stop context.CancelFunc
	done chan error
	log  *bytes.Buffer
}

func start(t *testing.T, to string, options Options) *running {
	t.Helper()
	log := logrus.New()
	r := &running{log: new(bytes.Buffer), done: make(chan error, 1)}
	log.SetOutput(r.log)
	options.Log = logrus.NewEntry(log)
	if options.Connections == 0 {
		options.Connections = 16
	}
	forwarder, err := New("127.0.0.1:0", to, options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.Forwarder, r.stop = forwarder, stop
	go func() { r.done <- forwarder.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		r.wait(t)
	})
	return r
}

// wait returns when the forwarder has ended, and may be called again.
func (r *running) wait(t *testing.T) {
	t.Helper()
	select {
	case err := <-r.done:
		if err != nil {
			t.Errorf("the forwarder ended with %v", err)
		}
		r.done <- err
	case <-time.After(patience):
		t.Fatal("the forwarder did not end")
	}
}

func (r *running) dial(t *testing.T) *net.TCPConn {
	t.Helper()
	connection, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	if err := connection.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return connection.(*net.TCPConn)
}

// ask sends a text, ends its half and returns the answer.
func ask(connection *net.TCPConn, text string) (string, error) {
	if _, err := io.WriteString(connection, text); err != nil {
		return "", err
	}
	if err := connection.CloseWrite(); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(connection)
	return string(answer), err
}

func TestPassesBytes(t *testing.T) {
	big := strings.Repeat("a layer of some size\n", 1<<17)
	tests := []struct {
		name  string
		serve func(*net.TCPConn)
		send  string
		want  string
	}{
		{"both ways", echo, "hello", "hello"},
		{"much", echo, big, big},
		{"nothing from the client", func(c *net.TCPConn) { _, _ = io.WriteString(c, "welcome"); _, _ = io.ReadAll(c) }, "", "welcome"},
		{"nothing from the registry", func(c *net.TCPConn) { _, _ = io.ReadAll(c) }, "hello", ""},
		{"an answer after the request has ended", func(c *net.TCPConn) {
			content, _ := io.ReadAll(c)
			fmt.Fprintf(c, "%d bytes", len(content))
		}, "hello", "5 bytes"},
		{"an answer that ends before the request", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "first")
			_ = c.CloseWrite()
			_, _ = io.ReadAll(c)
		}, "hello", "first"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			forwarder := start(t, upstream(t, "127.0.0.1:0", test.serve), Options{})
			got, err := ask(forwarder.dial(t), test.send)
			if err != nil || got != test.want {
				t.Errorf("got %d bytes and %v, want %d bytes", len(got), err, len(test.want))
			}
		})
	}
}

func TestFindsTasks(t *testing.T) {
	_, port, err := net.SplitHostPort(upstream(t, "127.0.0.1:0", echo))
	if err != nil {
		t.Fatal(err)
	}
	// Nobody listens on this port at the other addresses of loopback.
	const alive, dead = "127.0.0.1", "127.0.0.2"
	tests := []struct {
		name  string
		found [][]string // by each look-up; the last one stays
		fails bool
	}{
		{"one task", [][]string{{alive}}, false},
		{"another one does not answer", [][]string{{dead, alive}}, false},
		{"it comes later", [][]string{{}, {}, {alive}}, false},
		{"it comes again elsewhere", [][]string{{dead}, {alive}}, false},
		{"none", [][]string{{}}, true},
		{"none that answers", [][]string{{dead}}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var asked atomic.Int64
			limit := patience
			if test.fails {
				limit = 500 * time.Millisecond
			}
			forwarder := start(t, net.JoinHostPort("tasks.registry", port), Options{DialLimit: limit, Lookup: func(_ context.Context, host string) ([]string, error) {
				found := test.found[min(int(asked.Add(1)), len(test.found))-1]
				if host != "tasks.registry" {
					t.Errorf("looked for %q", host)
				}
				if len(found) == 0 {
					return nil, errors.New("no such host")
				}
				return append([]string(nil), found...), nil
			}})
			got, err := ask(forwarder.dial(t), "hello")
			if failed := err != nil || got != "hello"; failed != test.fails {
				t.Errorf("got %q and %v", got, err)
			}
			if test.fails && err == nil {
				t.Error("a client was not told that its connection failed")
			}
			forwarder.stop()
			forwarder.wait(t)
			if said := strings.Contains(forwarder.log.String(), "no task of the registry answers"); said != test.fails {
				t.Errorf("logged %s", forwarder.log)
			}
		})
	}
}

// TestTellsOfTheClient has a task that takes a header, and one of an older release.
func TestTellsOfTheClient(t *testing.T) {
	key := proxied.KeyOf("secret")
	type told struct {
		content string
		on      proxied.Ends
	}
	tasks := make(chan told, 1)
	telling := upstream(t, "127.0.0.1:0", func(c *net.TCPConn) {
		content, _ := io.ReadAll(c)
		from, to := c.RemoteAddr().(*net.TCPAddr).AddrPort(), c.LocalAddr().(*net.TCPAddr).AddrPort()
		tasks <- told{string(content), proxied.Ends{Forwarder: from, Server: to}}
	})
	_, withHeader, err := net.SplitHostPort(telling)
	if err != nil {
		t.Fatal(err)
	}
	target := upstream(t, "127.0.0.2:0", echo)
	_, port, _ := net.SplitHostPort(target)
	for address, want := range map[string]string{"127.0.0.1": "", "127.0.0.2": "hello"} {
		forwarder := start(t, net.JoinHostPort("tasks.registry", port), Options{
			Proxied: withHeader, Key: key,
			Lookup: func(context.Context, string) ([]string, error) { return []string{address}, nil },
		})
		connection := forwarder.dial(t)
		if got, err := ask(connection, "hello"); got != want || err != nil {
			t.Errorf("%s answered %q, %v", address, got, err)
		}
		if want != "" {
			continue
		}
		client := connection.LocalAddr().(*net.TCPAddr).AddrPort()
		at := forwarder.Addr().(*net.TCPAddr).AddrPort()
		if got := <-tasks; got.content != string(key.Header(client, at, got.on))+"hello" {
			t.Errorf("the task was told %q", got.content)
		}
	}
}

func TestLooksEachTime(t *testing.T) {
	var asked atomic.Int64
	_, port, err := net.SplitHostPort(upstream(t, "127.0.0.1:0", echo))
	if err != nil {
		t.Fatal(err)
	}
	forwarder := start(t, net.JoinHostPort("tasks.registry", port), Options{Lookup: func(context.Context, string) ([]string, error) {
		asked.Add(1)
		return []string{"127.0.0.1"}, nil
	}})
	for range 3 {
		if _, err := ask(forwarder.dial(t), "hello"); err != nil {
			t.Fatal(err)
		}
	}
	if asked.Load() != 3 {
		t.Errorf("looked %d times", asked.Load())
	}
}

func TestTellsOfACutConnection(t *testing.T) {
	forwarder := start(t, upstream(t, "127.0.0.1:0", func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 5))
		_ = c.SetLinger(0)
	}), Options{})
	connection := forwarder.dial(t)
	if _, err := io.WriteString(connection, "hello"); err != nil {
		t.Fatal(err)
	}
	if content, err := io.ReadAll(connection); err == nil {
		t.Errorf("read %q as if it were whole", content)
	}
}

// TestEndsWhatStandsStill has a client that does nothing.
func TestEndsWhatStandsStill(t *testing.T) {
	for name, test := range map[string]struct {
		serve   func(*net.TCPConn)
		options Options
	}{
		"the task has ended its half": {func(c *net.TCPConn) { _ = c.CloseWrite(); _, _ = io.Copy(io.Discard, c) }, Options{RestLimit: 50 * time.Millisecond}},
		"nobody says anything":        {echo, Options{IdleLimit: 50 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			var served, ended atomic.Bool
			forwarder := start(t, upstream(t, "127.0.0.1:0", func(c *net.TCPConn) {
				served.Store(true)
				test.serve(c)
				ended.Store(true)
			}), test.options)
			forwarder.dial(t)
			for end := time.Now().Add(patience); !ended.Load() || len(forwarder.places.slots) > 0; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("served: %v, ended: %v, %d places", served.Load(), ended.Load(), len(forwarder.places.slots))
				}
			}
		})
	}
}

// TestIdleLimit has a client that says little and often, as one does that asks now and then.
func TestIdleLimit(t *testing.T) {
	const limit = time.Second
	forwarder := start(t, upstream(t, "127.0.0.1:0", func(c *net.TCPConn) { _, _ = io.Copy(c, c) }), Options{IdleLimit: limit})
	connection := forwarder.dial(t)
	letter := []byte("x")
	for began := time.Now(); time.Since(began) < 5*limit/2; time.Sleep(limit / 50) {
		_, err := connection.Write(letter)
		if err == nil {
			_, err = io.ReadFull(connection, letter)
		}
		if err != nil {
			t.Fatalf("cut off after %s: %v", time.Since(began), err)
		}
	}
	// Then it says nothing more.
	if _, err := connection.Read(letter); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("not cut off: %v", err)
	}
}

// TestRestLimit has a side that has ended its half, and another that says little and often.
func TestRestLimit(t *testing.T) {
	forwarder := start(t, upstream(t, "127.0.0.1:0", func(c *net.TCPConn) {
		for {
			if _, err := io.WriteString(c, "x"); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}), Options{RestLimit: 200 * time.Millisecond})
	if _, err := ask(forwarder.dial(t), "hello"); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("not cut off: %v", err)
	}
}

// TestSharesLookups has many clients wait for a task.
func TestSharesLookups(t *testing.T) {
	const clients = 30
	var asked atomic.Int64
	forwarder := start(t, "tasks.registry:5000", Options{Connections: clients, DialLimit: 5 * pause, Lookup: func(context.Context, string) ([]string, error) {
		asked.Add(1)
		return nil, errors.New("no such host")
	}})
	var group sync.WaitGroup
	for range clients {
		connection := forwarder.dial(t)
		group.Go(func() { _, _ = io.ReadAll(connection) })
	}
	group.Wait()
	// The first look of each is its own.
	if n := asked.Load(); n > 2*clients {
		t.Errorf("%d look-ups for %d clients", n, clients)
	}
}

func TestDrains(t *testing.T) {
	tests := []struct {
		name  string
		limit time.Duration
		ends  bool // the client ends its connection by itself
	}{
		{"a connection that ends has its answer", patience, true},
		{"one that does not end is cut", 50 * time.Millisecond, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			reached := make(chan struct{}, 100)
			forwarder := start(t, upstream(t, "127.0.0.1:0", func(c *net.TCPConn) {
				reached <- struct{}{}
				echo(c)
			}), Options{DrainLimit: test.limit})
			connection := forwarder.dial(t)
			<-reached
			forwarder.stop()
			if test.ends {
				// The port is free for a successor while the rest is still served.
				for late, err := net.Dial("tcp", forwarder.Addr().String()); err == nil; late, err = net.Dial("tcp", forwarder.Addr().String()) {
					late.Close()
				}
				if got, err := ask(connection, "hello"); err != nil || got != "hello" {
					t.Errorf("got %q and %v", got, err)
				}
			}
			forwarder.wait(t)
		})
	}
}

func TestHealth(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "health")
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := Check(ctx, socket); err == nil {
		t.Error("healthy before it runs")
	}
	// The registry's tasks are away, which is no fault of the forwarder.
	forwarder := start(t, "127.0.0.1:1", Options{Health: socket})
	if err := Check(ctx, socket); err != nil {
		t.Errorf("not healthy: %v", err)
	}
	forwarder.stop()
	forwarder.wait(t)
	if err := Check(ctx, socket); err == nil {
		t.Error("healthy after its end")
	}
}

// failing fails once, as while a process is out of file descriptors.
type failing struct {
	net.Listener
	failed atomic.Bool
}

func (f *failing) Accept() (net.Conn, error) {
	if !f.failed.Swap(true) {
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	return f.Listener.Accept()
}

func TestHealthOutOfDescriptors(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "health")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	health := &failing{Listener: listener}
	ended := make(chan struct{})
	go func() {
		answer(health)
		close(ended)
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for range 2 {
		if err := Check(ctx, socket); err != nil {
			t.Errorf("not healthy: %v", err)
		}
	}
	if !health.failed.Load() {
		t.Error("nothing failed")
	}
	listener.Close()
	select {
	case <-ended:
	case <-ctx.Done():
		t.Error("it goes on without a listener")
	}
}
