package bounds

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// wrapped has a connection of its listener be in another.
type wrapped struct{ net.Listener }

func (l wrapped) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return wrapping{c}, err
}

type wrapping struct{ net.Conn }

func (w wrapping) NetConn() net.Conn { return w.Conn }

// TestUnsent is what the kernel takes for a client that takes nothing.
func TestUnsent(t *testing.T) {
	for ample, much := range map[int]bool{0: false, 1: true} {
		limits := generous()
		limits.Ample, limits.Patience = ample, 500*time.Millisecond
		sent := make(chan int, 1)
		server := httptest.NewUnstartedServer(nil)
		g := New(limits)
		server.Config.Handler = g.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			total := 0
			for {
				n, err := w.Write(make([]byte, 16<<10))
				total += n
				if err != nil {
					sent <- total
					return
				}
			}
		}), http.HandlerFunc(TooMany))
		server.Listener = g.Protect(server.Config, wrapped{server.Listener})
		server.Start()
		t.Cleanup(server.Close)
		c, err := deaf.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if total := <-sent; (total > 4*mostUnsent) != much {
			t.Errorf("with %d ample connections %d KiB", ample, total>>10)
		}
	}
}
