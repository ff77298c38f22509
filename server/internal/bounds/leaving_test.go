package bounds

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// ask sends requests on a connection of HTTP/2 whose streams have a window of so many bytes.
func ask(t *testing.T, server *httptest.Server, requests int, window uint32) *tls.Conn {
	t.Helper()
	return askBy(t, &net.Dialer{}, server, requests, window)
}

func askBy(t *testing.T, dialer *net.Dialer, server *httptest.Server, requests int, window uint32) *tls.Conn {
	t.Helper()
	trusting := server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	trusting.NextProtos = []string{http2.NextProtoTLS}
	c, err := tls.DialWithDialer(dialer, "tcp", server.Listener.Addr().String(), trusting)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	framer := http2.NewFramer(c, nil)
	if _, err := c.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0}); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteWindowUpdate(0, 1<<30); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(framed(t, requests)); err != nil {
		t.Fatal(err)
	}
	return c
}

// framed are the first requests on a connection.
func framed(t *testing.T, requests int) []byte {
	t.Helper()
	var header, frames bytes.Buffer
	encoder := hpack.NewEncoder(&header)
	for _, field := range []hpack.HeaderField{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "registry"}, {Name: ":path", Value: "/v2/"}} {
		if err := encoder.WriteField(field); err != nil {
			t.Fatal(err)
		}
	}
	framer := http2.NewFramer(&frames, nil)
	for i := range requests {
		if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: uint32(2*i + 1), BlockFragment: header.Bytes(), EndStream: true, EndHeaders: true}); err != nil {
			t.Fatal(err)
		}
	}
	return frames.Bytes()
}

// TestAnswersThatNobodyTakes are as many as there may be requests, and keep nobody out.
func TestAnswersThatNobodyTakes(t *testing.T) {
	limits := generous()
	limits.Requests = 5
	server := serve(t, limits, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("done")) })
	first := ask(t, server, 4, 0)
	frames := http2.NewFramer(nil, first)
	for answered := 0; answered < 4; {
		frame, err := frames.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := frame.(*http2.HeadersFrame); ok {
			answered++
		}
	}
	ask(t, server, 4, 0)
	if err := first.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		_, err = first.Read(make([]byte, 1<<10))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection whose answers wait longest is still open")
	}
	response, err := client(server, true).Get(server.URL + "/v2/")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("another client: %s", response.Status)
	}
}

// TestAnswersThatHaveYetToEnd are those of connections that are closed, before they find out.
func TestAnswersThatHaveYetToEnd(t *testing.T) {
	const limit = 2
	l, among := newLeaving(limit), newConnections(generous())
	found := make(chan struct{})
	var waits sync.WaitGroup
	var all []*connection
	for range 2 * limit {
		c, _ := pipe(t, among)
		all = append(all, c)
		sends := make(chan struct{})
		waits.Go(func() {
			l.wait(c, func() error {
				close(sends)
				<-found
				return nil
			})
		})
		<-sends
	}
	for i, c := range all {
		if c.closed != (i < limit) {
			t.Errorf("connection %d: closed is %v", i, c.closed)
		}
	}
	close(found)
	waits.Wait()
	if l.waiting.Len() != 0 {
		t.Errorf("%d wait", l.waiting.Len())
	}
}

// TestConnectionThatTakesNothing has all the window it may want.
func TestConnectionThatTakesNothing(t *testing.T) {
	limits := generous()
	limits.Patience = 100 * time.Millisecond
	const requests = 3
	ended := make(chan error, requests)
	server := serve(t, limits, func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 32<<10))
		}
		ended <- err
	})
	ask(t, server, requests, 1<<31-1)
	for range requests {
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Fatal("a request is still under way")
		}
	}
}
