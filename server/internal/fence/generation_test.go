package fence

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path"
	"sync/atomic"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/boottime"
	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/registrytest"
)

// later is a clock that can be put forward.
type later struct{ by atomic.Int64 }

func (l *later) clock() time.Duration { return boottime.Now() + time.Duration(l.by.Load()) }

// TestSuccessorDuringPush clears away what a dead holder left while a push through the successor's server is
// under way. The push must not trust the generation that the successor begins, because the successor does
// not know all deletions before it.
func TestSuccessorDuringPush(t *testing.T) {
	driver := inmemory.New()
	a, b := serve(t, driver, "a"), serve(t, driver, "b")
	forward := &later{}
	a.fence.clock = forward.clock
	a.onPut = func() {
		if a.puts.Load() > 1 {
			return
		}
		h := b.acquire(t)
		if _, err := h.Pause(t.Context()); err != nil {
			t.Error(err)
		}
		killed(h)
		if _, err := a.fence.looks.after(t.Context()); err != nil {
			t.Error(err)
		}
		forward.by.Store(int64(quick.Expiry))
		own := a.acquire(t)
		t.Cleanup(func() { own.Release(context.Background()) })
	}
	if response := a.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated || a.puts.Load() != 2 {
		t.Errorf("%s after %d puts", response.Status, a.puts.Load())
	}
}

// TestGenerationOfTheLost is begun by a holder that was suspended while another collection came and went. A
// push that only knows that the first one spares its manifest must learn of both.
func TestGenerationOfTheLost(t *testing.T) {
	slow := registrytest.NewSpy(inmemory.New())
	a, b, c := serve(t, slow, "a"), serve(t, slow.StorageDriver, "b"), serve(t, slow.StorageDriver, "c")
	forward := &later{}
	a.fence.clock, b.fence.clock = forward.clock, forward.clock
	h := a.acquire(t)
	defer h.Release(t.Context())
	sleep := func() {
		killed(h)
		if _, err := b.fence.looks.after(t.Context()); err != nil {
			t.Error(err)
		}
		forward.by.Store(int64(quick.Expiry))
		other := b.acquire(t)
		if _, err := other.Pause(t.Context()); err != nil {
			t.Error(err)
		}
		if err := other.Resume(t.Context()); err != nil {
			t.Error(err)
		}
		other.Release(t.Context())
	}
	c.onPut = func() {
		if c.puts.Load() > 1 {
			return
		}
		slept := false
		slow.Before = func(action, p string) error {
			// A pause begins by listing the generations.
			if action == "list" && p == path.Clean(folder) && !slept {
				slept = true
				sleep()
			}
			return nil
		}
		if _, err := h.Pause(t.Context()); err == nil || !slept {
			t.Errorf("it is not lost: %v", err)
		}
	}
	if response := c.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated || c.puts.Load() != 2 {
		t.Errorf("%s after %d puts", response.Status, c.puts.Load())
	}
}

// heeding heeds the context: it writes nothing for a client that is gone.
type heeding struct{ storagedriver.StorageDriver }

func (d heeding) PutContent(ctx context.Context, path string, content []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return d.StorageDriver.PutContent(ctx, path, content)
}

// TestReplacedForNobody has an upload replace a damaged file. All servers forget the old one even if the
// client has gone in the meantime.
func TestReplacedForNobody(t *testing.T) {
	f := New(heeding{inmemory.New()}, "a", quick, NoCache{})
	before, err := f.looks.after(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(gone, http.MethodPut, "/", nil)
	(&handler{fence: f}).uploading(httptest.NewRecorder(), r, &enginestore.Ending{Replaced: true}, "app", anyBlob).WriteHeader(http.StatusCreated)
	if after, err := f.looks.after(t.Context()); err != nil || len(after.generations) != len(before.generations)+1 {
		t.Errorf("%+v: %v", after, err)
	}
}
