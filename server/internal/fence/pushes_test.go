package fence

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
)

// TestManifestDuringMark is entered in the journal, so that another server's collection keeps it.
func TestManifestDuringMark(t *testing.T) {
	driver := inmemory.New()
	a, b := serve(t, driver, "a"), serve(t, driver, "b")
	h := a.acquire(t)
	defer h.Release(t.Context())
	for _, each := range []*server{a, b} {
		if response := each.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated {
			t.Fatal(response.Status)
		}
	}
	pushed, err := h.Pause(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(pushed) != 2 {
		t.Fatalf("%v", pushed)
	}
	for _, each := range pushed {
		if each.Repository != "team/app" || each.Reference != "1.0" || each.Digest != digest.FromString(content) || !slices.Equal(each.Manifest.Blobs, []digest.Digest{config}) {
			t.Errorf("got %v", each)
		}
	}
}

// TestPauseDuringPush of a manifest that the collection was told of. The manifest is kept whatever
// is deleted, so the push need not begin anew.
func TestPauseDuringPush(t *testing.T) {
	driver := inmemory.New()
	a, b := serve(t, driver, "a"), serve(t, driver, "b")
	h := a.acquire(t)
	defer h.Release(t.Context())
	told := 0
	b.onPut = func() {
		pushed, err := h.Pause(t.Context())
		if err != nil {
			t.Error(err)
		}
		told += len(pushed)
		if err := h.Resume(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if response := b.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated || b.puts.Load() != 1 || told != 1 {
		t.Errorf("%s after %d puts, told %d times", response.Status, b.puts.Load(), told)
	}
}

// TestCollectionDuringPush begins after the push, of which it was not told. It is over before the push is,
// or still under way. What the engine had found may be gone.
func TestCollectionDuringPush(t *testing.T) {
	for _, released := range []bool{false, true} {
		t.Run(fmt.Sprintf("released: %t", released), func(t *testing.T) {
			driver := inmemory.New()
			a, b := serve(t, driver, "a"), serve(t, driver, "b")
			// A whole collection takes longer on a busy machine than other tests wait.
			b.fence.timing.Patience = time.Minute
			b.onPut = func() {
				if b.puts.Load() > 1 {
					return
				}
				h := a.acquire(t)
				if _, err := h.Pause(t.Context()); err != nil {
					t.Error(err)
				}
				if err := h.Resume(t.Context()); err != nil {
					t.Error(err)
				}
				if released {
					h.Release(t.Context())
				} else {
					t.Cleanup(func() { h.Release(context.Background()) })
				}
			}
			if response := b.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated || b.puts.Load() != 2 {
				t.Errorf("%s after %d puts", response.Status, b.puts.Load())
			}
		})
	}
}

// TestJournalIsReadBefore a pause, which reads only what has come since.
func TestJournalIsReadBefore(t *testing.T) {
	driver := &hanging{StorageDriver: inmemory.New()}
	a, b := serve(t, driver, "a"), serve(t, driver, "b")
	h := a.acquire(t)
	defer h.Release(t.Context())
	push := func() {
		if response := b.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated {
			t.Fatal(response.Status)
		}
	}
	push()
	before, err := h.Pushed(t.Context())
	if err != nil || len(before) != 1 {
		t.Errorf("%v: %v", before, err)
	}
	push()
	if pushed, err := h.Pause(t.Context()); err != nil || len(pushed) != 1 {
		t.Errorf("%v: %v", pushed, err)
	}
}

// TestPause lets reads through, and writers wait.
func TestPause(t *testing.T) {
	driver := inmemory.New()
	a, b := serve(t, driver, "a"), serve(t, driver, "b")
	h := a.acquire(t)
	defer h.Release(t.Context())
	if _, err := h.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, each := range []*server{a, b} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			if response := each.send(t, method, manifestPath); response.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", method, response.Status)
			}
		}
		for method, target := range map[string]string{
			http.MethodPut:    manifestPath,
			http.MethodDelete: manifestPath,
			http.MethodPost:   "/v2/team/app/blobs/uploads/",
			http.MethodPatch:  "/v2/team/app/blobs/uploads/1-2",
		} {
			response := each.send(t, method, target)
			if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
				t.Errorf("%s: %s", method, response.Status)
			}
		}
	}
	time.AfterFunc(quick.Patience/4, func() {
		if err := h.Resume(t.Context()); err != nil {
			t.Error(err)
		}
	})
	for _, each := range []*server{a, b} {
		if response := each.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated {
			t.Error(response.Status)
		}
	}
}

// TestRefusedManifest is not read: a client that may not push fills no memory, and gets the
// engine's answer even if it sends less than it announced.
func TestRefusedManifest(t *testing.T) {
	f := New(inmemory.New(), "a", quick, NoCache{})
	engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPut, manifestPath, iotest.ErrReader(io.ErrUnexpectedEOF))
	response := httptest.NewRecorder()
	f.Handler(engine, "").ServeHTTP(response, request)
	if response.Code != http.StatusUnauthorized {
		t.Error(response.Code)
	}
}

// TestPushOfWhatIsNot pushes manifests whose parts are not there. If there are many, only some are named in the
// answer. If there are few, the engine names them.
func TestPushOfWhatIsNot(t *testing.T) {
	timing := quick
	timing.Patience = time.Minute
	for _, test := range []struct{ layers, status, named int }{
		{mostAbsent, http.StatusCreated, 0},
		{mostAbsent + 1, http.StatusBadRequest, mostNamed},
		{20 * mostAbsent, http.StatusBadRequest, mostNamed},
	} {
		engine := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, err := io.ReadAll(r.Body); err == nil {
				w.WriteHeader(http.StatusCreated)
			}
		})
		layers := make([]string, test.layers)
		for i := range layers {
			layers[i] = `{"digest":"` + digest.FromString(fmt.Sprint(i)).String() + `"}`
		}
		content := `{"schemaVersion":2,"layers":[` + strings.Join(layers, ",") + `]}`
		w := httptest.NewRecorder()
		New(inmemory.New(), "a", timing, NoCache{}).Handler(engine, "").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPut, manifestPath, strings.NewReader(content)))
		if got := strings.Count(w.Body.String(), "sha256:"); w.Code != test.status || got != test.named {
			t.Errorf("%d layers: %d, %d named", test.layers, w.Code, got)
		}
	}
}

// TestBrokenManifest is refused by the engine. Nobody waits for it afterwards.
func TestBrokenManifest(t *testing.T) {
	a := serve(t, inmemory.New(), "a")
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPut, manifestPath, iotest.ErrReader(io.ErrUnexpectedEOF))
	response := httptest.NewRecorder()
	a.handler.ServeHTTP(response, request)
	if response.Code != http.StatusBadRequest {
		t.Error(response.Code)
	}
	h := a.acquire(t)
	defer h.Release(t.Context())
	if pushed, err := h.Pause(t.Context()); err != nil || len(pushed) != 0 {
		t.Error(pushed, err)
	}
}

// TestManifestUnderWay is waited for again and again, but not forever. Each time, other writers wait only for
// a moment.
func TestManifestUnderWay(t *testing.T) {
	a := serve(t, inmemory.New(), "a")
	h := a.acquire(t)
	defer h.Release(t.Context())
	began, end := make(chan struct{}), make(chan struct{})
	a.onPut = func() {
		close(began)
		<-end
	}
	answered := make(chan int, 1)
	go func() { answered <- a.send(t, http.MethodPut, manifestPath).StatusCode }()
	<-began
	for range 3 {
		if _, err := h.Pause(t.Context()); !errors.Is(err, ErrWriters) {
			t.Fatal(err)
		}
		if err := h.Resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		if response := a.send(t, http.MethodDelete, manifestPath); response.StatusCode != http.StatusOK {
			t.Error(response.Status)
		}
	}
	if grown := 8 * a.fence.shortestDrain(); h.patience != grown {
		t.Errorf("%s, not %s", h.patience, grown)
	}
	h.patience = longestDrain * a.fence.shortestDrain()
	if _, err := h.Pause(t.Context()); err == nil || errors.Is(err, ErrWriters) {
		t.Error(err)
	}
	go close(end)
	if pushed, err := h.Pause(t.Context()); err != nil || len(pushed) != 1 {
		t.Error(pushed, err)
	}
	if h.patience != a.fence.shortestDrain() {
		t.Error(h.patience)
	}
	if status := <-answered; status != http.StatusCreated {
		t.Error(status)
	}
}
