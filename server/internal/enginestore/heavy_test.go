package enginestore

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestDeletionsWait expects deletions to wait before they read manifests, which may be large.
func TestDeletionsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, store := digest.FromString("a manifest"), inmemory.New()
		var all atomic.Int64
		got := registrytest.HeavyAtOnce(t, http.MethodDelete, "/v2/app/manifests/"+d.String(), func(r *http.Request) error {
			// Each deletion needs a link of its own: a link that is deleted twice is missing.
			link := layout.RevisionPath(fmt.Sprintf("app/%d", all.Add(1)), d)
			if err := store.PutContent(t.Context(), link, []byte(d)); err != nil {
				return err
			}
			return driver{store}.Delete(r.Context(), link)
		})
		if got != 2 {
			t.Errorf("%d at once", got)
		}
	})
}
