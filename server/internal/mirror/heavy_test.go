package mirror

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"container-registry/server/internal/registrytest"
)

// TestHeavyAnswersOfUpstream has two clients at once, with two places of each kind.
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
				got := registrytest.HeavyAtOnce(t, http.MethodGet, test.path, func(r *http.Request) error {
					ctx := context.WithValue(r.Context(), heardKey{}, newHeard(r))
					_, err := u.get(t, ctx, "https://registry.example.com"+test.path)
					return err
				})
				if got != test.inside {
					t.Errorf("%d at once, want %d", got, test.inside)
				}
			})
		})
	}
}
