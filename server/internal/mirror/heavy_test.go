package mirror

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"container-registry/server/internal/heavy"
)

// TestHeavyAnswersOfUpstream are for two clients at once, where there are two places of each kind.
func TestHeavyAnswersOfUpstream(t *testing.T) {
	for _, test := range []struct {
		path   string
		size   int
		inside int64
	}{
		{"/v2/library/app/manifests/latest", 1 << 20, 2},
		{"/v2/library/app/manifests/latest", 1 << 10, 3},
		{"/v2/library/app/tags/list", 1 << 10, 2},
	} {
		t.Run(test.path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := upstreamOf("https://registry.example.com", func(*http.Request) *http.Response { return answer(http.StatusOK, test.size, nil) })
				var inside atomic.Int64
				stay := make(chan struct{})
				handler := heavy.PlacesOf(0).Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					ctx := context.WithValue(r.Context(), heardKey{}, newHeard(r))
					if _, err := u.get(t, ctx, "https://registry.example.com"+test.path); err != nil {
						t.Error(err)
					}
					inside.Add(1)
					<-stay
				}))
				var asked sync.WaitGroup
				for range 3 {
					asked.Go(func() {
						handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, test.path, nil))
					})
				}
				synctest.Wait()
				if got := inside.Load(); got != test.inside {
					t.Errorf("%d at once, want %d", got, test.inside)
				}
				close(stay)
				asked.Wait()
			})
		})
	}
}
