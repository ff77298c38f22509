package bounds

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"container-registry/server/internal/poll"
)

// TestCrowd has all places, and moves. A neighbour gets one of them, and no more than it needs.
func TestCrowd(t *testing.T) {
	const places, rate = 40, 500 << 10
	inBoth(t, func(t *testing.T, http2 bool) {
		t.Parallel()
		server, begun, ended := serveStanding(t, places)
		if http2 {
			slowly(t, ask(t, server, places, 1<<31-1), rate)
		} else {
			for range places {
				response, err := client(server, false).Get(server.URL + "/v2/")
				if err != nil {
					t.Fatal(err)
				}
				defer response.Body.Close()
				go func() {
					for err := error(nil); err == nil; time.Sleep(20 * time.Millisecond) {
						_, err = io.CopyN(io.Discard, response.Body, rate/50/places)
					}
				}()
			}
		}
		poll.Until(t, "answers", func() bool { return begun.Load() == places })
		if status := get(t, server, false); status != http.StatusServiceUnavailable {
			t.Errorf("one more of it: %d", status)
		}
		neighbour := client(server, false)
		// On Linux all of 127.0.0.0/8 is this machine.
		neighbour.Transport.(*http.Transport).DialContext = (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext
		// A look just before may have found nobody.
		poll.Until(t, "room", func() bool {
			response, err := neighbour.Get(server.URL + "/other")
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			return response.StatusCode == http.StatusOK
		})
		poll.Until(t, "an end", func() bool { return ended.Load() == 1 })
	})
}
