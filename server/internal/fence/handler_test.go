package fence

import (
	"context"
	"errors"
	"fmt"
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
	"container-registry/server/internal/wait"
)

// TestManyLook at a store that does not answer: the requests share one look, and one whose client has
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

// TestMountByOtherAlgorithm has a request whose form was parsed before.
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

// slowBlobs is a store that is slow with blobs, and with what is written for collections.
type slowBlobs struct {
	storagedriver.StorageDriver
	time time.Duration
}

func (s slowBlobs) GetContent(ctx context.Context, path string) ([]byte, error) {
	if err := s.wait(ctx, path); err != nil {
		return nil, err
	}
	return s.StorageDriver.GetContent(ctx, path)
}

func (s slowBlobs) PutContent(ctx context.Context, path string, content []byte) error {
	if err := s.wait(ctx, path); err != nil {
		return err
	}
	return s.StorageDriver.PutContent(ctx, path, content)
}

func (s slowBlobs) wait(ctx context.Context, path string) error {
	if !layout.IsBlob(path) && !strings.HasPrefix(path, journalOf("")) {
		return nil
	}
	return wait.For(ctx, s.time)
}

// TestSlowStore has a large manifest, whole or damaged, pushed while another server collects and is told of it.
// The store needs longer for it than a write waits for a pause.
func TestSlowStore(t *testing.T) {
	large := content + strings.Repeat(" ", 16<<10)
	for name, there := range map[string]string{"whole": large, "damaged": "damaged"} {
		driver := inmemory.New()
		if err := driver.PutContent(t.Context(), layout.BlobPath(digest.FromString(large)), []byte(there)); err != nil {
			t.Fatal(err)
		}
		defer serve(t, driver, "b").acquire(t).Release(t.Context())
		answer := httptest.NewRecorder()
		serve(t, slowBlobs{driver, 2 * quick.Patience}, "a").handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodPut, manifestPath, strings.NewReader(large)))
		if answer.Code != http.StatusCreated {
			t.Errorf("%s: %d %s", name, answer.Code, answer.Body)
		}
	}
}

// TestLargeManifest does not enter the gate, where a pause would wait for the rest of it.
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

// TestThere expects a blob to be kept after each status that says that it exists. If it is in doubt, the client
// is told that it does not exist.
func TestThere(t *testing.T) {
	d := digest.FromString("a blob")
	for status, there := range map[int]bool{
		http.StatusOK: true, http.StatusPartialContent: true, http.StatusNotModified: true, http.StatusTemporaryRedirect: true,
		http.StatusNotFound: false, http.StatusUnauthorized: false, http.StatusServiceUnavailable: false,
	} {
		for _, doubted := range []bool{false, true} {
			f := New(inmemory.New(), "a", quick, NoCache{})
			if doubted {
				f.doubts.add("app", d, gone)
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

// TestDoubtEnds when the blob has changed: it came back, or was uploaded through another server.
func TestDoubtEnds(t *testing.T) {
	const blob = "a layer"
	d := digest.FromString(blob)
	for name, test := range map[string]struct {
		then, now string
		want      int
	}{
		"it came back":     {"", blob, http.StatusOK},
		"it is still gone": {"", "", http.StatusNotFound},
		"it was replaced":  {"a la", blob, http.StatusOK},
		"it is as it was":  {"a la", "a la", http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			driver := inmemory.New()
			put := func(path, content string) {
				t.Helper()
				if content == "" {
					return
				}
				if err := driver.PutContent(t.Context(), path, []byte(content)); err != nil {
					t.Fatal(err)
				}
			}
			put(layout.LinkPath(layout.RepositoryPath("app", layout.Layers), d), d.String())
			put(layout.BlobPath(d), test.then)
			engine := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(http.StatusOK)
			})
			handler := New(driver, "a", quick, NoCache{}).Handler(engine, "")
			send := func(method, path, body string) int {
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body)))
				return answer.Code
			}
			send(http.MethodPut, "/v2/app/manifests/1", fmt.Sprintf(`{"schemaVersion":2,"config":{"digest":%q,"size":%d}}`, d, len(blob)))
			if status := send(http.MethodHead, "/v2/app/blobs/"+d.String(), ""); status != http.StatusNotFound {
				t.Errorf("it is in no doubt: %d", status)
			}
			put(layout.BlobPath(d), test.now)
			if status := send(http.MethodHead, "/v2/app/blobs/"+d.String(), ""); status != test.want {
				t.Errorf("%d, want %d", status, test.want)
			}
		})
	}
}

// TestUnchanged asks whether manifests have changed. The engine says that they have not before it looks for
// them.
func TestUnchanged(t *testing.T) {
	driver := inmemory.New()
	there, gone := digest.FromString("there"), digest.FromString("gone")
	for link, d := range map[string]digest.Digest{
		layout.RevisionPath("app", there): there,
		layout.TagPath("app", "there"):    there,
		layout.TagPath("app", "gone"):     gone,
		// A power cut may leave an empty link.
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

// TestUnreadableStore lets nobody write, because a collection may be under way.
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

// TestPausedByAnother expects the reason to be told once.
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

// mute is a store that gives no answers. Its driver's errors do not unwrap.
type mute struct{ storagedriver.StorageDriver }

func (mute) List(ctx context.Context, _ string) ([]string, error) {
	<-ctx.Done()
	return nil, errors.New(ctx.Err().Error())
}

func (mute) Stat(ctx context.Context, _ string) (storagedriver.FileInfo, error) {
	<-ctx.Done()
	return nil, errors.New(ctx.Err().Error())
}

func (mute) GetContent(ctx context.Context, _ string) ([]byte, error) {
	<-ctx.Done()
	return nil, errors.New(ctx.Err().Error())
}

// TestMuteStore has a store that does not even say whether a collection is under way.
func TestMuteStore(t *testing.T) {
	s := serve(t, mute{inmemory.New()}, "a")
	for target, method := range map[string]string{
		manifestPath:                  http.MethodPut,
		"/v2/team/app/manifests/old":  http.MethodDelete,
		"/v2/team/app/blobs/uploads/": http.MethodPost,
	} {
		answer := httptest.NewRecorder()
		s.handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(content)))
		if said := answer.Body.String(); answer.Code != http.StatusServiceUnavailable || !strings.Contains(said, errSilent.Error()) {
			t.Errorf("%s %s: %d %s", method, target, answer.Code, said)
		}
	}
	if s.puts.Load() != 0 {
		t.Error("something was written")
	}
}

// leaving is the body of a client that goes away while it sends.
type leaving struct{ leave func() }

func (l leaving) Read([]byte) (int, error) {
	l.leave()
	return 0, io.ErrUnexpectedEOF
}

// TestClientLeaves at the end of its upload, which then succeeds all the same, or before that.
func TestClientLeaves(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		body   func(leave func()) io.Reader
		goesOn bool
	}{
		"after all":              {http.MethodPut, func(func()) io.Reader { return strings.NewReader("layer") }, true},
		"after what came before": {http.MethodPut, func(func()) io.Reader { return http.NoBody }, true},
		"in the middle":          {http.MethodPut, func(leave func()) io.Reader { return leaving{leave} }, false},
		"after a chunk":          {http.MethodPatch, func(func()) io.Reader { return strings.NewReader("layer") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			engine := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				leave()
				if goesOn := r.Context().Err() == nil; goesOn != test.goesOn {
					t.Errorf("it goes on: %t", goesOn)
				}
			})
			r := httptest.NewRequestWithContext(ctx, test.method, "/v2/app/blobs/uploads/1", test.body(leave))
			New(inmemory.New(), "a", quick, NoCache{}).Handler(engine, "").ServeHTTP(httptest.NewRecorder(), r)
		})
	}
}
