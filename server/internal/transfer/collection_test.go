package transfer

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestCollectionOfTheTarget expects a collection to be kept out, because it would delete what tags will refer
// to. If one is under way, nothing is copied.
func TestCollectionOfTheTarget(t *testing.T) {
	from, want := filled(t)
	to := registrytest.NewSpy(inmemory.New())
	server := fence.New(to.StorageDriver, "a server", fence.TimingOf("inmemory"), fence.NoCache{})
	hold, ctx, err := server.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := between(t, from, to, Options{}); !errors.As(err, new(fence.Busy)) || to.Count("put", layout.Root) > 0 {
		t.Errorf("it went on: %v", err)
	}
	hold.Release(ctx)
	refused := make(chan error, 1)
	to.Before = func(action, path string) error {
		if action == "put" && strings.HasPrefix(path, layout.Blobs) && len(refused) == 0 {
			_, _, err := server.Acquire(t.Context())
			select {
			case refused <- err:
			default:
			}
		}
		return nil
	}
	if _, err := between(t, from, to, Options{Workers: 1}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-refused:
		if !errors.As(err, new(fence.Busy)) {
			t.Errorf("a collection began: %v", err)
		}
	case <-time.After(time.Second):
		t.Error("nothing was copied")
	}
	if got := pulled(t, to.StorageDriver); len(got) != len(want) {
		t.Errorf("the target serves %q", got)
	}
}
