package fence

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/image/internal/layout"
)

var quick = Timing{
	Beat: 30 * time.Millisecond, Expiry: 600 * time.Millisecond, Fresh: 5 * time.Millisecond,
	Settle: 5 * time.Millisecond, Patience: 100 * time.Millisecond, Remember: time.Hour,
}

// killed ends a holder the way SIGKILL does: nothing is renewed, nothing cleaned up.
func killed(h *Hold) {
	h.cancel(nil)
	<-h.ended
}

// server is a fence around an engine that accepts everything that has a body.
type server struct {
	fence   *Fence
	handler http.Handler
	url     string
	// puts counts what reached the engine; onPut is called while it works.
	puts  atomic.Int64
	onPut func()
}

func serve(t *testing.T, driver storagedriver.StorageDriver, name string) *server {
	t.Helper()
	s := &server{fence: New(driver, name, quick, NoCache{}), onPut: func() {}}
	engine := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			if content, err := io.ReadAll(r.Body); err != nil || len(content) == 0 {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			s.puts.Add(1)
			s.onPut()
			w.WriteHeader(http.StatusCreated)
		}
	})
	s.handler = s.fence.Handler(engine, "")
	listening := httptest.NewServer(s.handler)
	t.Cleanup(listening.Close)
	s.url = listening.URL
	return s
}

func (s *server) send(t *testing.T, method, path string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}

func (s *server) acquire(t *testing.T) *Hold {
	t.Helper()
	h, _, err := s.fence.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const manifestPath = "/v2/team/app/manifests/1.0"

func TestOneOfMany(t *testing.T) {
	driver := inmemory.New()
	var group sync.WaitGroup
	outcomes := make(chan error, 8)
	release := make(chan struct{})
	for i := range 8 {
		group.Go(func() {
			h, _, err := New(driver, string(rune('a'+i)), quick, NoCache{}).Acquire(t.Context())
			outcomes <- err
			if err == nil {
				<-release
				h.Release(t.Context())
			}
		})
	}
	holds := 0
	for range 8 {
		switch err := <-outcomes; {
		case err == nil:
			holds++
		case !errors.As(err, new(Busy)):
			t.Error(err)
		}
	}
	close(release)
	group.Wait()
	names, err := layout.Names(t.Context(), driver, folder)
	if err != nil || holds != 1 {
		t.Errorf("%d held it: %v", holds, err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, holderPrefix) {
			t.Errorf("%s is left", name)
		}
	}
}

// TestKilledHolder has another server write again and take over, the next process of the
// same name at once.
func TestKilledHolder(t *testing.T) {
	for _, phase := range []string{phaseMark, phaseSweep} {
		for _, successor := range []string{"a", "b"} {
			t.Run("in "+phase+", followed by "+successor, func(t *testing.T) {
				driver := inmemory.New()
				h := serve(t, driver, "a").acquire(t)
				if phase == phaseSweep {
					if _, err := h.Pause(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				killed(h)
				next := serve(t, driver, successor)
				began := time.Now()
				refusals := 0
				for {
					response := next.send(t, http.MethodPut, manifestPath)
					if response.StatusCode == http.StatusCreated {
						break
					}
					if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
						t.Fatal(response.Status)
					}
					refusals++
				}
				if paused := phase == phaseSweep && successor == "b"; paused != (refusals > 0) || paused && time.Since(began) < quick.Expiry {
					t.Errorf("%d refusals in %s", refusals, time.Since(began))
				}
				taken := next.acquire(t)
				if _, err := taken.Pause(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := taken.Resume(t.Context()); err != nil {
					t.Fatal(err)
				}
				taken.Release(t.Context())
				if names, err := layout.Names(t.Context(), driver, folder); err != nil || len(names) != 1 || !strings.HasPrefix(names[0], generationPrefix) {
					t.Errorf("left: %q %v", names, err)
				}
			})
		}
	}
}

// TestHolderThatSleeps wakes up when somebody else may have taken over.
func TestHolderThatSleeps(t *testing.T) {
	h := serve(t, inmemory.New(), "a").acquire(t)
	h.mutex.Lock()
	h.renewed = time.Now().Add(-quick.Expiry)
	h.mutex.Unlock()
	done, err := h.Delete(t.Context(), "", func() error {
		t.Error("it deleted")
		return nil
	})
	if done || !errors.Is(err, errLost) {
		t.Error(done, err)
	}
}

// TestManifestDuringMark gets into the journal, so that another server's collection keeps it.
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
	want := Pushed{Repository: "team/app", Reference: "1.0", Digest: digest.FromString("{}")}
	if len(pushed) != 2 {
		t.Fatalf("%v", pushed)
	}
	for _, each := range pushed {
		each.at = time.Time{}
		if each != want {
			t.Errorf("got %v", each)
		}
	}
}

// TestManifestThatMayBeTooLate is put again after the pause that began meanwhile.
func TestManifestThatMayBeTooLate(t *testing.T) {
	driver := inmemory.New()
	a, b := serve(t, driver, "a"), serve(t, driver, "b")
	h := a.acquire(t)
	defer h.Release(t.Context())
	b.onPut = func() {
		if b.puts.Load() > 1 {
			return
		}
		if _, err := h.Pause(t.Context()); err != nil {
			t.Error(err)
		}
		time.AfterFunc(quick.Patience/4, func() {
			if err := h.Resume(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	if response := b.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated || b.puts.Load() != 2 {
		t.Errorf("%s after %d puts", response.Status, b.puts.Load())
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

// TestRefusedManifest is not read: who may not push fills no memory, and gets the
// engine's answer even where it sends less than it announced.
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

// TestBrokenManifest is the engine's to refuse; nobody waits for it afterwards.
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

// TestManifestUnderWay is waited for.
func TestManifestUnderWay(t *testing.T) {
	a := serve(t, inmemory.New(), "a")
	h := a.acquire(t)
	defer h.Release(t.Context())
	began, end := make(chan struct{}), make(chan struct{})
	a.onPut = func() {
		close(began)
		<-end
	}
	answered := make(chan int)
	go func() { answered <- a.send(t, http.MethodPut, manifestPath).StatusCode }()
	<-began
	paused := make(chan []Pushed)
	go func() {
		pushed, err := h.Pause(t.Context())
		if err != nil {
			t.Error(err)
		}
		paused <- pushed
	}()
	select {
	case <-paused:
		t.Error("it was not waited for")
	case <-time.After(10 * quick.Settle):
	}
	close(end)
	if pushed := <-paused; len(pushed) != 1 {
		t.Errorf("%v", pushed)
	}
	if status := <-answered; status != http.StatusCreated {
		t.Error(status)
	}
}

func TestTouched(t *testing.T) {
	const d = digest.Digest("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	nothing := func() error { return nil }
	deleted := func(x *touched) bool {
		done, err := x.delete(d, nothing)
		if err != nil {
			t.Error(err)
		}
		return done
	}
	x := newTouched(time.Hour)
	if !deleted(x) {
		t.Error("nobody counts on it")
	}
	untouch := x.touch("a", d)
	x.touch("b", d)
	if deleted(x) || !x.inUse("a") || x.inUse("c") {
		t.Error("somebody counts on it")
	}
	untouch()
	if deleted(x) || x.inUse("a") {
		t.Error("b counts on it")
	}
	x.settle("b", d)
	if !deleted(x) {
		t.Error("a manifest refers to it")
	}
	short := newTouched(time.Nanosecond)
	short.touch("a", d)
	if !deleted(short) {
		t.Error("it is forgotten")
	}
	// Who comes while it is deleted waits, and finds out afterwards.
	deleting, end, touched := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		_, _ = x.delete(d, func() error {
			close(deleting)
			<-end
			return nil
		})
	}()
	<-deleting
	go func() {
		x.touch("a", d)
		close(touched)
	}()
	select {
	case <-touched:
		t.Error("it did not wait")
	case <-time.After(20 * time.Millisecond):
	}
	close(end)
	<-touched
}

// TestUnreadableStore lets nobody write, as a collection may be under way.
func TestUnreadableStore(t *testing.T) {
	driver := inmemory.New()
	serve(t, driver, "b").acquire(t).Release(t.Context())
	if err := driver.PutContent(t.Context(), path.Join(folder, "any"), nil); err != nil {
		t.Fatal(err)
	}
	s := serve(t, broken{driver}, "a")
	if response := s.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusServiceUnavailable || s.puts.Load() != 0 {
		t.Error(response.Status)
	}
	if response := s.send(t, http.MethodGet, path.Dir(manifestPath)); response.StatusCode != http.StatusOK {
		t.Error(response.Status)
	}
}

type broken struct{ storagedriver.StorageDriver }

func (broken) List(context.Context, string) ([]string, error) { return nil, errors.New("broken") }
