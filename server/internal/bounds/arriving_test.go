package bounds

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestArriving has all connections send at once, and nobody look at what was read of them.
func TestArriving(t *testing.T) {
	for name, each := range map[string]struct {
		request *writer // under way meanwhile, if any
		held    bool    // whether others wait
	}{
		"before a request":             {nil, true},
		"beside a request of HTTP/2":   {&writer{stream: true}, true},
		"in the body of one of HTTP/1": {&writer{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const all, few = 6, 2
				l := newConnections(Limits{Connections: all, Requests: all, Loud: all, Arriving: few})
				var read atomic.Int64
				var clients []*connection
				for range all {
					near, far := net.Pipe()
					c := l.add(near)
					clients = append(clients, c)
					if each.request != nil {
						c.begin(&writer{stream: each.request.stream}, false)
					}
					go func() { _, _ = far.Write([]byte("x")) }()
					go func() {
						if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
							t.Error(err)
						}
						read.Add(1)
					}()
				}
				for want := int64(few); want <= all; want += few {
					synctest.Wait()
					if !each.held {
						want = all
					}
					if got := read.Load(); got != want {
						t.Fatalf("%d were read, not %d", got, want)
					}
					time.Sleep(aTurn)
				}
				for _, c := range clients {
					c.Close()
				}
			})
		})
	}
}

// TestTurnsAreLeft by the next read, by a request of HTTP/1, by what net/http refuses by itself, and by the end.
func TestTurnsAreLeft(t *testing.T) {
	for name, leave := range map[string]func(*connection){
		"next read": func(c *connection) {
			go func() { _, _ = c.Read(make([]byte, 1)) }()
		},
		"request": func(c *connection) { c.begin(&writer{}, false) },
		"closed":  func(c *connection) { c.Close() },
		"refused": func(c *connection) {
			if half, ok := net.Conn(c).(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		},
		"refused with TLS": func(c *connection) { _ = c.SetWriteDeadline(time.Now()) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newConnections(Limits{Connections: 2, Requests: 2, Loud: 2, Arriving: 1})
				near, far := net.Pipe()
				c := l.add(near)
				go func() { _, _ = far.Write([]byte("x")) }()
				if _, err := c.Read(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
				if len(l.arriving.turns) != 1 {
					t.Fatal("it has no turn")
				}
				leave(c)
				synctest.Wait()
				if len(l.arriving.turns) != 0 {
					t.Error("it has its turn yet")
				}
				far.Close()
				c.Close()
			})
		})
	}
}

// TestJam has more requests run than there may be, which end at last.
func TestJam(t *testing.T) {
	for name, ends := range map[string]time.Duration{"soon": aJam / 2, "never": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newConnections(Limits{Connections: 2, Requests: 2, Loud: 2, Arriving: 1})
				l.arriving.begun.Store(l.arriving.most + 1)
				time.AfterFunc(ends, func() { l.arriving.begun.Add(-1) })
				near, far := net.Pipe()
				c := l.add(near)
				go func() { _, _ = far.Write([]byte("x")) }()
				start := time.Now()
				if _, err := c.Read(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
				if late := time.Since(start) - min(ends, aJam); late < 0 || late > aLook {
					t.Errorf("it went on %s late", late)
				}
				c.Close()
			})
		})
	}
}
