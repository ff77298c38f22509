package server

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"container-registry/server/internal/poll"
)

// TestStreamsThatWait checks that streams that wait leave room on their connection for one that is read.
func TestStreamsThatWait(t *testing.T) {
	var waiting atomic.Int64
	stay := make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/waits" {
			waiting.Add(1)
			<-stay
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	server.EnableHTTP2 = true
	server.Config.HTTP2 = http2Config()
	server.StartTLS()
	defer server.Close()
	defer close(stay)
	send := func(path string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodPatch, server.URL+path, bytes.NewReader(make([]byte, 2<<20)))
		if err != nil {
			return err
		}
		response, err := server.Client().Do(request)
		if err != nil {
			return err
		}
		return response.Body.Close()
	}
	for range 8 {
		go func() { _ = send("/waits") }()
	}
	for waiting.Load() < 8 {
		time.Sleep(time.Millisecond)
	}
	if err := send("/goes-on"); err != nil {
		t.Error(err)
	}
}

// TestConnectionsThatEndBeforeTheirRequests expects that these are not held for a while: clients come back.
func TestConnectionsThatEndBeforeTheirRequests(t *testing.T) {
	config, client := withTLS(t, inMemory)
	i := start(t, config, client)
	response, err := client.Post(i.base+"/v2/app/blobs/uploads/", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	<-i.entered
	client.CloseIdleConnections()
	const connections, each = 40, 8 << 10
	before := heap()
	for range connections {
		var socket net.Conn
		transport := client.Transport.(*http.Transport).Clone()
		transport.DialContext = func(ctx context.Context, network, address string) (c net.Conn, err error) {
			socket, err = (&net.Dialer{}).DialContext(ctx, network, address)
			return socket, err
		}
		body, more := io.Pipe()
		request, err := http.NewRequest(http.MethodPatch, response.Header.Get("Location"), body)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if response, err := transport.RoundTrip(request); err == nil {
				response.Body.Close()
			}
		}()
		<-i.entered
		socket.Close()
		more.Close()
		<-ended
	}
	poll.Until(t, "an end of what ended connections hold", func() bool { return heap()-before < connections*each })
}
