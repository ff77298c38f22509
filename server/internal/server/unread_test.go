package server

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestStreamsThatWait leave room on their connection for one that is read.
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
	server.Config.HTTP2 = unread()
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
