package guard

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/registrytest"
)

// TestHeavyRequestsWait has three at once, where there are two places of each kind.
func TestHeavyRequestsWait(t *testing.T) {
	for _, test := range []struct {
		path string
		use  func(context.Context, storagedriver.StorageDriver) error
	}{
		{"/v2/app/manifests/1", func(ctx context.Context, driver storagedriver.StorageDriver) error {
			reader, err := driver.Reader(ctx, "/large", 0)
			if err != nil {
				return err
			}
			defer reader.Close()
			_, err = io.Copy(io.Discard, reader)
			return err
		}},
		{"/v2/app/tags/list", func(ctx context.Context, driver storagedriver.StorageDriver) error {
			_, err := driver.List(ctx, "/")
			return err
		}},
		{"/v2/_catalog", func(ctx context.Context, driver storagedriver.StorageDriver) error {
			return driver.Walk(ctx, "/", func(storagedriver.FileInfo) error { return nil })
		}},
	} {
		t.Run(test.path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				guard := &Guard{places: &places{}, outage: &outage{}}
				driver := guard.around(inmemory.New())
				if err := driver.PutContent(t.Context(), "/large", make([]byte, 1<<20)); err != nil {
					t.Fatal(err)
				}
				got := registrytest.HeavyAtOnce(t, http.MethodGet, test.path, func(r *http.Request) error { return test.use(r.Context(), driver) })
				if got != 2 {
					t.Errorf("%d at once", got)
				}
			})
		})
	}
}

// TestWalkForNobody ends when its client is gone.
func TestWalkForNobody(t *testing.T) {
	driver := inTurn{inmemory.New()}
	for _, name := range []string{"/a", "/b", "/c"} {
		if err := driver.PutContent(t.Context(), name, nil); err != nil {
			t.Fatal(err)
		}
	}
	ctx, leave := context.WithCancel(t.Context())
	visited := 0
	err := driver.Walk(ctx, "/", func(storagedriver.FileInfo) error {
		visited++
		leave()
		return nil
	})
	if visited != 1 || err == nil {
		t.Errorf("%d visited, %v", visited, err)
	}
}
