package fence

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/poll"
)

// push sends a manifest in the background, and returns a channel for the answer.
func (s *server) push(ctx context.Context, path string) <-chan *httptest.ResponseRecorder {
	answered := make(chan *httptest.ResponseRecorder, 1)
	go func() {
		answer := httptest.NewRecorder()
		s.handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodPut, path, strings.NewReader(content)))
		answered <- answer
	}()
	return answered
}

// TestPushWaitsForDeleting through the same server and through another one. Pushes to other repositories
// do not wait, nor does a push by the deletion itself.
func TestPushWaitsForDeleting(t *testing.T) {
	driver := inmemory.New()
	a, b, hasty := serve(t, driver, "a"), serve(t, driver, "b"), serve(t, driver, "c")
	a.fence.timing.Patience, b.fence.timing.Patience = time.Minute, time.Minute
	var waiting []<-chan *httptest.ResponseRecorder
	err := a.fence.Deleting(t.Context(), "team/app", func(ctx context.Context, _ func() error) error {
		for _, s := range []*server{a, b} {
			waiting = append(waiting, s.push(t.Context(), manifestPath))
			if answer := <-s.push(t.Context(), "/v2/team/other/manifests/"+digest.FromString(content).String()); answer.Code != http.StatusCreated {
				t.Errorf("another repository: %d %s", answer.Code, answer.Body)
			}
		}
		if answer := <-a.push(ctx, "/v2/team/app/manifests/"+digest.FromString(content).String()); answer.Code != http.StatusCreated {
			t.Errorf("by whoever deletes: %d %s", answer.Code, answer.Body)
		}
		for _, each := range waiting {
			select {
			case <-each:
				t.Error("a push was answered")
			default:
			}
		}
		if answer := <-hasty.push(t.Context(), manifestPath); answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Body.String(), errDeleting.Error()) {
			t.Errorf("after a while: %d %s", answer.Code, answer.Body)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	for _, each := range waiting {
		if answer := <-each; answer.Code != http.StatusCreated {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	}
}

// TestPushBeginsAnewAfterDeleting has a deletion come after the engine has looked for what the push needs.
func TestPushBeginsAnewAfterDeleting(t *testing.T) {
	driver := inmemory.New()
	a, b := serve(t, driver, "a"), serve(t, driver, "b")
	for name, by := range map[string]*server{"the same server": b, "another one": a} {
		b.puts.Store(0)
		b.onPut = func() {
			b.onPut = func() {}
			if err := by.fence.Deleting(t.Context(), "team/app", func(context.Context, func() error) error { return nil }); err != nil {
				t.Error(err)
			}
		}
		answer := <-b.push(t.Context(), "/v2/team/app/manifests/"+digest.FromString(content).String())
		if n := b.puts.Load(); answer.Code != http.StatusCreated || n != 2 {
			t.Errorf("%s: %d after %d times", name, answer.Code, n)
		}
	}
}

// TestPauseDuringDeleting has a pause wait for the deletion without standing in its way.
func TestPauseDuringDeleting(t *testing.T) {
	s := serve(t, inmemory.New(), "a")
	h := s.acquire(t)
	defer h.Release(t.Context())
	paused := make(chan error, 1)
	err := s.fence.Deleting(t.Context(), "team/app", func(ctx context.Context, _ func() error) error {
		go func() {
			err := ErrWriters
			for errors.Is(err, ErrWriters) {
				_, err = h.Pause(t.Context())
			}
			paused <- err
		}()
		poll.Until(t, "the pause", func() bool {
			s.fence.gate.mutex.Lock()
			defer s.fence.gate.mutex.Unlock()
			return s.fence.gate.opened != nil
		})
		answer := httptest.NewRecorder()
		s.handler.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodDelete, manifestPath, nil))
		if answer.Code != http.StatusOK {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := <-paused; err != nil {
		t.Error(err)
	}
}

// TestPauseHidesNoDeleting from a push that the collection knows of, and that trusts the collection's
// generations.
func TestPauseHidesNoDeleting(t *testing.T) {
	driver := inmemory.New()
	a, b, c := serve(t, driver, "a"), serve(t, driver, "b"), serve(t, driver, "c")
	h := c.acquire(t)
	defer h.Release(t.Context())
	pause := func() {
		if _, err := h.Pause(t.Context()); err != nil {
			t.Error(err)
		}
		if err := h.Resume(t.Context()); err != nil {
			t.Error(err)
		}
	}
	path := "/v2/team/app/manifests/" + digest.FromString(content).String()
	puts := func(during func()) int64 {
		b.puts.Store(0)
		b.onPut = func() {
			b.onPut = func() {}
			during()
		}
		if answer := <-b.push(t.Context(), path); answer.Code != http.StatusCreated {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
		return b.puts.Load()
	}
	if n := puts(pause); n != 1 {
		t.Errorf("put %d times in a pause", n)
	}
	n := puts(func() {
		err := a.fence.Deleting(t.Context(), "team/app", func(context.Context, func() error) error {
			pause()
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	if n != 2 {
		t.Errorf("put %d times in a deletion", n)
	}
}
