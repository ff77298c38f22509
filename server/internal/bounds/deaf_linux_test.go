package bounds

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"slices"
	"syscall"
	"testing"

	"container-registry/server/internal/poll"

	"golang.org/x/net/http2"
)

// deaf is a client's, whose kernel takes next to nothing that the client does not.
var deaf = &net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048) })
}}

// manyPings have more answers than the server's kernel holds, and fewer than the 10,000 for which
// net/http ends the connection itself.
const manyPings = 6_000

func ping(t *testing.T) []byte {
	t.Helper()
	var ping bytes.Buffer
	if err := http2.NewFramer(&ping, nil).WritePing(false, [8]byte{}); err != nil {
		t.Fatal(err)
	}
	return ping.Bytes()
}

// ends waits for one of the connections to end.
func ends(t *testing.T, clients ...*tls.Conn) {
	t.Helper()
	poll.Until(t, "an end", func() bool {
		return slices.ContainsFunc(clients, func(c *tls.Conn) bool {
			// Of a type that nobody knows, and nobody answers.
			return http2.NewFramer(c, nil).WriteRawFrame(0xff, 0, 0, nil) != nil
		})
	})
}

// TestPings are many, of two clients that take no answers to them. Nor do they to a request.
func TestPings(t *testing.T) {
	for _, requests := range []int{0, 1} {
		t.Run(fmt.Sprint(requests, " requests"), func(t *testing.T) {
			limits := generous()
			limits.Loud = 1
			stands := make(chan struct{}, 2)
			server := serve(t, limits, func(w http.ResponseWriter, _ *http.Request) {
				stands <- struct{}{}
				_, _ = w.Write(make([]byte, 10<<10))
			})
			var clients []*tls.Conn
			for range 2 {
				c := askBy(t, deaf, server, requests, 0)
				for range requests {
					<-stands
				}
				if _, err := c.Write(bytes.Repeat(ping(t), manyPings)); err != nil {
					t.Fatal(err)
				}
				clients = append(clients, c)
			}
			// Which of them the server heard first is its own affair.
			ends(t, clients...)
		})
	}
}

// TestHeadersThatNobodyTakes are all that there is of their answers.
func TestHeadersThatNobodyTakes(t *testing.T) {
	limits := generous()
	limits.Requests = 5
	server := serve(t, limits, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Etag", `"1"`)
		w.WriteHeader(http.StatusNotModified)
	})
	c := askBy(t, deaf, server, 0, 0)
	if _, err := c.Write(append(bytes.Repeat(ping(t), manyPings), framed(t, limits.Requests+1)...)); err != nil {
		t.Fatal(err)
	}
	ends(t, c)
}
