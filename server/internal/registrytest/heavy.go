package registrytest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"container-registry/server/internal/fair"
	"container-registry/server/internal/heavy"
)

// HeavyAtOnce returns how many of three clients' requests of a kind get to hold what they need, with two
// places of each kind. It must be called in a bubble of synctest.
func HeavyAtOnce(t *testing.T, method, path string, hold func(*http.Request) error) int64 {
	t.Helper()
	var inside atomic.Int64
	stay := make(chan struct{})
	handler := fair.Handler(heavy.PlacesOf(0).Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := hold(r); err != nil {
			t.Error(err)
		}
		inside.Add(1)
		<-stay
	})))
	var asked sync.WaitGroup
	for n := range 3 {
		asked.Go(func() {
			request := httptest.NewRequest(method, path, nil)
			request.RemoteAddr = fmt.Sprintf("192.0.2.%d:1234", n)
			handler.ServeHTTP(httptest.NewRecorder(), request)
		})
	}
	synctest.Wait()
	held := inside.Load()
	close(stay)
	asked.Wait()
	return held
}
