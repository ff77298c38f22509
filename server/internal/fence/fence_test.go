package fence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/layout"
)

// quick is in a hurry, but has a busy machine's pauses not look like a dead server's.
var quick = Timing{
	Beat: 30 * time.Millisecond, Expiry: 3 * time.Second, Fresh: 5 * time.Millisecond,
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
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(content))
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

const (
	manifestPath = "/v2/team/app/manifests/1.0"
	content      = `{"config":{"digest":"sha256:1"}}`
)

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

// TestKilledHolder has the next process of the same name, or another server, write again
// and take over: at once, unless requests to delete may still be on their way.
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
				if paused := phase == phaseSweep; paused != (refusals > 0) || paused && time.Since(began) < quick.Expiry {
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

// TestDeletionWithoutAnswer has a store carry out a deletion that it said had failed. The
// collection is over, and yet nobody writes until that can't be any more.
func TestDeletionWithoutAnswer(t *testing.T) {
	driver := &failing{StorageDriver: inmemory.New()}
	a := serve(t, driver, "a")
	servers := []*server{a, serve(t, driver, "b")}
	h := a.acquire(t)
	if _, err := h.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Delete(t.Context(), "", "/blob"); !errors.Is(err, errFailing) {
		t.Fatal(err)
	}
	if err := h.Resume(t.Context()); !errors.Is(err, errUnanswered) {
		t.Error(err)
	}
	h.Release(t.Context())
	for _, s := range servers {
		if response := s.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s takes a manifest: %s", s.fence.name, response.Status)
		}
	}
	next := a.acquire(t)
	defer next.Release(t.Context())
	for _, s := range servers {
		if response := s.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated {
			t.Errorf("afterwards %s says %s", s.fence.name, response.Status)
		}
	}
}

var errFailing = errors.New("no answer")

// failing is a store that loses its answer to the deletion of a blob.
type failing struct{ storagedriver.StorageDriver }

func (d *failing) Delete(ctx context.Context, path string) error {
	if path == "/blob" {
		return errFailing
	}
	return d.StorageDriver.Delete(ctx, path)
}

// TestDeletionAtTheEnd has a collection told to end while the store deletes.
func TestDeletionAtTheEnd(t *testing.T) {
	driver := &slow{StorageDriver: inmemory.New(), begun: make(chan struct{}), end: make(chan struct{})}
	if err := driver.PutContent(t.Context(), "/blob", []byte("content")); err != nil {
		t.Fatal(err)
	}
	a := serve(t, driver, "a")
	ordered, stop := context.WithCancel(t.Context())
	h, ctx, err := a.fence.Acquire(ordered)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Pause(ctx); err != nil {
		t.Fatal(err)
	}
	deleted := make(chan error, 1)
	go func() {
		_, err := h.Delete(ctx, "", "/blob")
		deleted <- err
	}()
	<-driver.begun
	stop()
	<-h.ended
	close(driver.end)
	if err := <-deleted; err != nil {
		t.Errorf("the deletion was cut off: %v", err)
	}
	if _, err := h.Delete(ctx, "", "/another"); !errors.Is(err, context.Canceled) {
		t.Errorf("another one was begun: %v", err)
	}
	h.Release(ctx)
	if response := a.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusCreated {
		t.Error(response.Status)
	}
}

// slow is a store that takes its time for the deletion of a blob.
type slow struct {
	storagedriver.StorageDriver
	begun, end chan struct{}
}

func (d *slow) Delete(ctx context.Context, path string) error {
	if path == "/blob" {
		close(d.begun)
		<-d.end
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return d.StorageDriver.Delete(ctx, path)
}

// TestHolderThatSleeps wakes up when somebody else may have taken over, and takes nothing
// more away. No timer of Go's has noticed by then.
func TestHolderThatSleeps(t *testing.T) {
	dead := holder{ID: "dead", Name: "a", Phase: phaseSweep}
	entry := path.Join(journalOf("successor"), "entry")
	tests := map[string]struct {
		// path is what it deletes just before it falls asleep, and left what may not go.
		path, left string
		do         func(f *Fence) error
	}{
		"between two steps of a deletion": {"/first", "/second", func(f *Fence) error {
			h, ctx, err := f.Acquire(t.Context())
			if err != nil {
				return err
			}
			defer h.Release(ctx)
			done, err := h.Delete(t.Context(), "", "/first", "/second")
			if done {
				t.Error("it said that all is deleted")
			}
			return err
		}},
		"while it clears away what a dead one left": {dead.path(), entry, func(f *Fence) error {
			_, _, err := f.Acquire(t.Context())
			return err
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			driver := &sleepy{StorageDriver: inmemory.New(), path: test.path}
			clock := func() time.Duration { return sinceBoot() + time.Duration(driver.asleep.Load()) }
			for _, each := range []string{"/first", "/second", dead.path(), entry} {
				content, err := json.Marshal(dead)
				if err == nil {
					err = driver.PutContent(t.Context(), each, content)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := test.do(NewWithClock(driver, "a", quick, NoCache{}, clock)); !errors.Is(err, errLost) {
				t.Error(err)
			}
			if _, err := driver.Stat(t.Context(), test.path); !layout.IsMissing(err) {
				t.Error(err)
			}
			if _, err := driver.Stat(t.Context(), test.left); err != nil {
				t.Error(err)
			}
		})
	}
}

// sleepy is the store of a machine that is suspended after one deletion.
type sleepy struct {
	storagedriver.StorageDriver
	path   string
	asleep atomic.Int64
}

func (d *sleepy) Delete(ctx context.Context, path string) error {
	err := d.StorageDriver.Delete(ctx, path)
	if path == d.path {
		d.asleep.Store(int64(time.Hour))
	}
	return err
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
	if len(pushed) != 2 {
		t.Fatalf("%v", pushed)
	}
	for _, each := range pushed {
		if each.Repository != "team/app" || each.Reference != "1.0" || each.Digest != digest.FromString(content) || !slices.Equal(each.Manifest.Blobs, []digest.Digest{"sha256:1"}) {
			t.Errorf("got %v", each)
		}
	}
}

// TestPauseDuringPush of a manifest that the collection was told of: it is kept whatever
// is deleted, so there is nothing to do again.
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

// TestCollectionDuringPush begins after the push, which nobody told it of, and is over
// before the push is, or still under way. What the engine had found may be gone.
func TestCollectionDuringPush(t *testing.T) {
	for _, released := range []bool{false, true} {
		t.Run(fmt.Sprintf("released: %t", released), func(t *testing.T) {
			driver := inmemory.New()
			a, b := serve(t, driver, "a"), serve(t, driver, "b")
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

// TestStrictestHolder counts, whatever else is in the store: one that only claims, or one
// that nobody can read.
func TestStrictestHolder(t *testing.T) {
	tests := []struct{ name, mine, other string }{
		{"one that claims, listed first", phaseSweep, `{"id":"0","name":"c","phase":"claim","beat":1}`},
		{"half of one", phaseMark, `{"id":"0","na`},
		{"an empty one", phaseMark, ``},
		{"one of a later version", phaseMark, `{"id":"0","name":"c","phase":"condemn","beat":1}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			driver := inmemory.New()
			a, b := serve(t, driver, "a"), serve(t, driver, "b")
			h := a.acquire(t)
			defer h.Release(t.Context())
			if err := driver.PutContent(t.Context(), path.Join(folder, holderPrefix+"0"), []byte(test.other)); err != nil {
				t.Fatal(err)
			}
			if test.mine == phaseSweep {
				if _, err := h.Pause(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if response := b.send(t, http.MethodPut, manifestPath); response.StatusCode != http.StatusServiceUnavailable {
				t.Error(response.Status)
			}
		})
	}
}

// TestLostHold deletes nothing more.
func TestLostHold(t *testing.T) {
	t.Run("the machine was suspended", func(t *testing.T) {
		var suspended atomic.Int64
		f := NewWithClock(inmemory.New(), "a", quick, NoCache{}, func() time.Duration { return sinceBoot() + time.Duration(suspended.Load()) })
		h, ctx, err := f.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer h.Release(t.Context())
		suspended.Store(int64(time.Hour))
		<-ctx.Done()
		if !errors.Is(context.Cause(ctx), errLost) {
			t.Error(context.Cause(ctx))
		}
	})
	t.Run("somebody cleared it away", func(t *testing.T) {
		h := serve(t, inmemory.New(), "a").acquire(t)
		defer h.Release(t.Context())
		// Between two beats.
		h.writing <- struct{}{}
		if err := h.fence.remove(t.Context(), h.self.path()); err != nil {
			t.Fatal(err)
		}
		if err := h.standing(t.Context()); !errors.Is(err, errLost) {
			t.Error(err)
		}
		<-h.writing
	})
	t.Run("the store does not answer", func(t *testing.T) {
		driver := &hanging{StorageDriver: inmemory.New()}
		f := New(driver, "a", quick, NoCache{})
		h, ctx, err := f.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		driver.hangs.Store(true)
		// A deletion that is under way ends with the right to collect.
		done := make(chan error)
		go func() {
			_, err := h.Delete(ctx, "", "/any")
			done <- err
		}()
		if err := <-done; err == nil || !errors.Is(context.Cause(ctx), errLost) {
			t.Error(err)
		}
		driver.hangs.Store(false)
		h.Release(t.Context())
	})
}

// hanging is a store that cannot be reached for a while.
type hanging struct {
	storagedriver.StorageDriver
	hangs atomic.Bool
	lists atomic.Int64
}

func (d *hanging) PutContent(ctx context.Context, path string, content []byte) error {
	if d.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return d.StorageDriver.PutContent(ctx, path, content)
}

func (d *hanging) List(ctx context.Context, path string) ([]string, error) {
	d.lists.Add(1)
	if d.hangs.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return d.StorageDriver.List(ctx, path)
}

func (d *hanging) Delete(ctx context.Context, path string) error {
	if d.hangs.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return d.StorageDriver.Delete(ctx, path)
}

// TestManyLook at a store that does not answer: they share one look, and whose client has
// gone does not wait.
func TestManyLook(t *testing.T) {
	driver := &hanging{StorageDriver: inmemory.New()}
	driver.hangs.Store(true)
	s := serve(t, driver, "a")
	ctx, gone := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			request := httptest.NewRequestWithContext(ctx, http.MethodHead, manifestPath, nil)
			s.handler.ServeHTTP(httptest.NewRecorder(), request)
		})
	}
	for driver.lists.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	gone()
	group.Wait()
	if lists := driver.lists.Load(); lists > 2 {
		t.Errorf("%d lists", lists)
	}
}

// TestSlowBody takes longer than a write waits for a pause.
// TestMountByOtherAlgorithm is of a request whose form was parsed before.
func TestMountByOtherAlgorithm(t *testing.T) {
	var got *http.Request
	engine := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r })
	handler := New(inmemory.New(), "a", quick, NoCache{}).Handler(engine, "")
	for d, dropped := range map[digest.Digest]bool{digest.FromString("a"): false, digest.SHA512.FromString("a"): true} {
		r := httptest.NewRequest(http.MethodPost, "/v2/team/app/blobs/uploads/?from=base/app&mount="+d.String(), nil)
		r.Form = r.URL.Query()
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if (got.FormValue("mount") == "") != dropped || (got.FormValue("from") == "") != dropped {
			t.Errorf("%s: %v", d, got.Form)
		}
	}
}

func TestSlowBody(t *testing.T) {
	s := serve(t, inmemory.New(), "a")
	body, rest := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.url+manifestPath, body)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(2*quick.Patience, func() {
		_, _ = io.WriteString(rest, content)
		rest.Close()
	})
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		t.Error(response.Status)
	}
}

// TestLargeManifest does not get into the gate, where its rest would be waited for.
func TestLargeManifest(t *testing.T) {
	s := serve(t, inmemory.New(), "a")
	body, rest := io.Pipe()
	defer rest.Close()
	go func() { _, _ = rest.Write(make([]byte, maxManifest+1)) }()
	response := httptest.NewRecorder()
	s.handler.ServeHTTP(response, httptest.NewRequestWithContext(t.Context(), http.MethodPut, manifestPath, body))
	if response.Code != http.StatusBadRequest || s.puts.Load() != 0 {
		t.Error(response.Code)
	}
}

// TestRedirect to where a blob is says that it exists.
func TestRedirect(t *testing.T) {
	f := New(inmemory.New(), "a", quick, NoCache{})
	engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTemporaryRedirect) })
	d := digest.FromString("a blob")
	f.Handler(engine, "").ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/v2/app/blobs/"+d.String(), nil))
	if !f.touched.has(d) {
		t.Error("it may be deleted")
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

// TestManifestUnderWay is waited for, and others with it for a moment only, time and again,
// but not for ever.
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
