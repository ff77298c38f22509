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
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
)

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

// TestSlowBody takes longer than a write waits for a pause.
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
	go func() { _, _ = rest.Write(make([]byte, manifest.MostBytes+1)) }()
	response := httptest.NewRecorder()
	s.handler.ServeHTTP(response, httptest.NewRequestWithContext(t.Context(), http.MethodPut, manifestPath, body))
	if response.Code != http.StatusRequestEntityTooLarge || s.puts.Load() != 0 {
		t.Error(response.Code)
	}
}

// TestThere is what says that a blob exists: it is kept, unless it is in doubt and said not to.
func TestThere(t *testing.T) {
	d := digest.FromString("a blob")
	for status, there := range map[int]bool{
		http.StatusOK: true, http.StatusPartialContent: true, http.StatusNotModified: true, http.StatusTemporaryRedirect: true,
		http.StatusNotFound: false, http.StatusUnauthorized: false, http.StatusServiceUnavailable: false,
	} {
		for _, doubted := range []bool{false, true} {
			f := New(inmemory.New(), "a", quick, NoCache{})
			if doubted {
				f.doubts.add("app", d)
			}
			engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			answer := httptest.NewRecorder()
			f.Handler(engine, "").ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodHead, "/v2/app/blobs/"+d.String(), nil))
			if f.touched.Has(d) != there {
				t.Errorf("%d: it may be deleted: %t", status, there)
			}
			if denied := answer.Code == http.StatusNotFound && status != http.StatusNotFound; denied != (there && doubted) {
				t.Errorf("%d, in doubt: %t: %d", status, doubted, answer.Code)
			}
		}
	}
}

// TestUnchanged is asked of manifests of which the engine says so before it looks for them.
func TestUnchanged(t *testing.T) {
	driver := inmemory.New()
	there, gone := digest.FromString("there"), digest.FromString("gone")
	for link, d := range map[string]digest.Digest{
		layout.RevisionPath("app", there): there,
		layout.TagPath("app", "there"):    there,
		layout.TagPath("app", "gone"):     gone,
		// As a power cut leaves one.
		layout.RevisionPath("app", digest.FromString("")): "",
	} {
		if err := driver.PutContent(t.Context(), link, []byte(d)); err != nil {
			t.Fatal(err)
		}
	}
	var asked bool
	engine := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked = r.Header.Get("If-None-Match") != "" })
	handler := New(driver, "a", quick, NoCache{}).Handler(engine, "")
	for reference, want := range map[string]bool{
		there.String(): true, "there": true,
		gone.String(): false, "gone": false, digest.FromString("").String(): false,
		// The engine looks for a tag first.
		"none": true,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			r := httptest.NewRequestWithContext(t.Context(), method, "/v2/app/manifests/"+reference, nil)
			r.Header.Set("If-None-Match", `"any"`)
			if handler.ServeHTTP(httptest.NewRecorder(), r); asked != want {
				t.Errorf("%s %s: %t", method, reference, asked)
			}
			if r.Header.Get("If-None-Match") == "" {
				t.Errorf("%s %s: the request was changed", method, reference)
			}
		}
	}
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

// TestPausedByAnother says so once.
func TestPausedByAnother(t *testing.T) {
	driver := inmemory.New()
	hold := serve(t, driver, "b").acquire(t)
	defer hold.Release(t.Context())
	if _, err := hold.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{http.MethodPost, http.MethodPut} {
		answer := httptest.NewRecorder()
		serve(t, driver, "a").handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, "/v2/team/app/blobs/uploads/", nil))
		if said := answer.Body.String(); strings.Count(said, errPaused.Error()) != 1 {
			t.Errorf("%s: %s", method, said)
		}
	}
}
