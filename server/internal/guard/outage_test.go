package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/manifest"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/wait"
)

// failing fails at everything, with an error for each path, while there is one.
type failing struct {
	storagedriver.StorageDriver
	with atomic.Pointer[func(path string) error]
}

func (f *failing) fail(with func(path string) error) { f.with.Store(&with) }

func (f *failing) heal() { f.with.Store(nil) }

func (f *failing) error(path string) error {
	if with := f.with.Load(); with != nil {
		if err := (*with)(path); err != nil {
			return storagedriver.Error{DriverName: "s3aws", Detail: err}
		}
	}
	return nil
}

func (f *failing) GetContent(ctx context.Context, path string) ([]byte, error) {
	if err := f.error(path); err != nil {
		return nil, err
	}
	return f.StorageDriver.GetContent(ctx, path)
}

func (f *failing) PutContent(ctx context.Context, path string, content []byte) error {
	if err := f.error(path); err != nil {
		return err
	}
	return f.StorageDriver.PutContent(ctx, path, content)
}

func (f *failing) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	if err := f.error(path); err != nil {
		return nil, err
	}
	return f.StorageDriver.Stat(ctx, path)
}

func (f *failing) List(ctx context.Context, path string) ([]string, error) {
	if err := f.error(path); err != nil {
		return nil, err
	}
	return f.StorageDriver.List(ctx, path)
}

func (f *failing) Walk(ctx context.Context, path string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	if err := f.error(path); err != nil {
		return err
	}
	return f.StorageDriver.Walk(ctx, path, visit, options...)
}

func (f *failing) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	if err := f.error(path); err != nil {
		return nil, err
	}
	return f.StorageDriver.Reader(ctx, path, offset)
}

func (f *failing) Delete(ctx context.Context, path string) error {
	if err := f.error(path); err != nil {
		return err
	}
	return f.StorageDriver.Delete(ctx, path)
}

func (f *failing) Move(ctx context.Context, from, to string) error {
	if err := f.error(from); err != nil {
		return err
	}
	return f.StorageDriver.Move(ctx, from, to)
}

func (f *failing) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	if err := f.error(path); err != nil {
		return nil, err
	}
	writer, err := f.StorageDriver.Writer(ctx, path, appendMode)
	return failingWriter{writer, func() error { return f.error(path) }}, err
}

type failingWriter struct {
	storagedriver.FileWriter
	error func() error
}

func (w failingWriter) Write(p []byte) (int, error) {
	if err := w.error(); err != nil {
		return 0, err
	}
	return w.FileWriter.Write(p)
}

func (w failingWriter) Commit(ctx context.Context) error {
	if err := w.error(); err != nil {
		return err
	}
	return w.FileWriter.Commit(ctx)
}

// guarded is a guard for S3 around a driver, and what it writes to the log.
func guarded(driver storagedriver.StorageDriver) (*Guard, storagedriver.StorageDriver, *bytes.Buffer) {
	said := &bytes.Buffer{}
	logger := logrus.New()
	logger.SetOutput(said)
	config := &configuration.Configuration{Storage: configuration.Storage{"s3": {"bucket": "images", "region": "eu-west-1"}}}
	g := New(config, 1<<30, logrus.NewEntry(logger))
	return g, g.around(driver), said
}

// quieted is the driver of such a guard, the engine's log, which it keeps quiet, and what both say.
func quieted(driver storagedriver.StorageDriver) (watched storagedriver.StorageDriver, engine *logrus.Logger, said *bytes.Buffer) {
	g, watched, said := guarded(driver)
	engine = logrus.New()
	engine.SetOutput(said)
	g.Quiet(engine)
	return watched, engine, said
}

var (
	errSlow     = errors.New("SlowDown: Please reduce your request rate.\n\tstatus code: 503, request id: 1")
	errRefused  = errors.New("InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.\n\tstatus code: 403, request id: 1")
	errFull     = errors.New("no space left on device")
	errKept     = errors.New("{\n  Code: \"AccessDenied\",\n  Key: \"a\"\n}")
	errArchived = errors.New("InvalidObjectState: The operation is not valid for the object's storage class\n\tstatus code: 403, request id: 1")
	errDenied   = errors.New("AccessDenied: Access Denied\n\tstatus code: 403, request id: 1")
)

// TestStoreAway asks a store that fails for everything there is to ask for.
func TestStoreAway(t *testing.T) {
	store := &failing{StorageDriver: inmemory.New()}
	g, driver, _ := guarded(store)
	config := registrytest.Config(t, driver)
	server := httptest.NewServer(g.Handler(handlers.NewApp(t.Context(), config)))
	t.Cleanup(server.Close)
	client := registrytest.Client{URL: server.URL}
	layer := []byte("a layer")
	client.Push(t, "team/app", "1", layer)
	d := digest.FromBytes(layer)

	send := func(method, url string, body string) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/octet-stream")
		if strings.Contains(url, "/manifests/") {
			request.Header.Set("Accept", "application/vnd.oci.image.manifest.v1+json")
			request.Header.Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		return response
	}
	begin := func() string {
		return send(http.MethodPost, server.URL+"/v2/team/app/blobs/uploads/", "").Header.Get("Location")
	}
	manifest, err := io.ReadAll(send(http.MethodGet, server.URL+"/v2/team/app/manifests/1", "").Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{
		"GET /v2/_catalog",
		"GET /v2/team/app/tags/list",
		"GET /v2/team/app/manifests/1",
		"HEAD /v2/team/app/manifests/1",
		"GET /v2/team/app/manifests/" + digest.FromBytes(manifest).String(),
		"HEAD /v2/team/app/manifests/" + digest.FromBytes(manifest).String(),
		"PUT /v2/team/app/manifests/2",
		"DELETE /v2/team/app/manifests/1",
		"DELETE /v2/team/app/manifests/" + digest.FromBytes(manifest).String(),
		"GET /v2/team/app/blobs/" + d.String(),
		"HEAD /v2/team/app/blobs/" + d.String(),
		"DELETE /v2/team/app/blobs/" + d.String(),
		"POST /v2/team/app/blobs/uploads/",
		"POST /v2/team/other/blobs/uploads/?from=team/app&mount=" + d.String(),
		"GET upload",
		"PATCH upload",
		"PUT upload",
		"DELETE upload",
	} {
		t.Run(path, func(t *testing.T) {
			method, path, _ := strings.Cut(path, " ")
			url := server.URL + path
			if path == "upload" {
				url = begin() + "&digest=" + d.String()
			}
			body := ""
			switch method {
			case http.MethodPatch:
				body = string(layer)
			case http.MethodPut:
				body = string(layer)
				if strings.Contains(path, "manifests") {
					body = string(manifest)
				}
			}
			store.fail(func(string) error { return errSlow })
			defer store.heal()
			response := send(method, url, body)
			content, _ := io.ReadAll(response.Body)
			if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "10" {
				t.Errorf("%s, Retry-After %q: %s", response.Status, response.Header.Get("Retry-After"), content)
			}
			if strings.Contains(string(content), "SlowDown") {
				t.Errorf("the client is told of the store: %s", content)
			}
		})
	}
}

// TestUploadCutOff has the store go while a layer is sent to it, and while it is committed.
func TestUploadCutOff(t *testing.T) {
	for _, after := range []string{"write", "commit"} {
		store := &failing{StorageDriver: inmemory.New()}
		g, driver, _ := guarded(store)
		recorder := httptest.NewRecorder()
		g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			writer, err := driver.Writer(r.Context(), "/upload", false)
			if err != nil {
				t.Fatal(err)
			}
			defer writer.Close()
			if after == "commit" {
				_, err = writer.Write([]byte("x"))
			}
			store.fail(func(string) error { return errSlow })
			if after == "write" {
				_, err = writer.Write([]byte("x"))
			} else {
				err = writer.Commit(r.Context())
			}
			if err == nil {
				t.Error("no error")
			}
			http.Error(w, err.Error(), http.StatusInternalServerError)
		})).ServeHTTP(recorder, httptest.NewRequest(http.MethodPatch, "/", strings.NewReader("x")))
		if recorder.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d", after, recorder.Code)
		}
	}
}

// TestOtherErrors are not the store's, or not for good.
func TestOtherErrors(t *testing.T) {
	for name, test := range map[string]struct {
		err      error
		write    bool
		canceled bool
		status   int
	}{
		"nothing to be read":    {err: errDenied, status: http.StatusServiceUnavailable},
		"nothing to be written": {err: errDenied, write: true, status: http.StatusServiceUnavailable},
		"full":                  {err: errFull, write: true, status: http.StatusInternalServerError},
		"the bucket is gone":    {err: errors.New("NoSuchBucket: The specified bucket does not exist"), write: true, status: http.StatusServiceUnavailable},
		"something else":        {err: errors.New("NeverHeardOf: that"), status: http.StatusInternalServerError},
		"the client goes":       {err: errSlow, canceled: true, status: http.StatusInternalServerError},
		"a store too slow":      {err: errSlow, status: http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			store := &failing{StorageDriver: inmemory.New()}
			store.fail(func(string) error { return test.err })
			g, driver, _ := guarded(store)
			ctx, cancel := context.WithCancel(t.Context())
			if test.canceled {
				cancel()
			}
			defer cancel()
			recorder := httptest.NewRecorder()
			g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				ask := func() error { _, err := driver.Stat(r.Context(), "/a"); return err }
				if test.write {
					ask = func() error { return driver.PutContent(r.Context(), "/a", nil) }
				}
				if err := ask(); err != nil {
					http.Error(w, err.Error(), http.StatusInternalServerError)
				}
			})).ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
			if recorder.Code != test.status {
				t.Errorf("%d, want %d", recorder.Code, test.status)
			}
			// What the store says may have paths and names in it.
			if strings.Contains(recorder.Body.String(), test.err.Error()) {
				t.Errorf("the client is told %s", recorder.Body)
			}
		})
	}
}

// TestMissingInFolder is told in words of the system.
func TestMissingInFolder(t *testing.T) {
	store := &failing{StorageDriver: inmemory.New()}
	store.fail(func(string) error { return fmt.Errorf("%w: gone", fs.ErrNotExist) })
	_, driver, said := guarded(store)
	_, err := driver.Stat(t.Context(), "/a")
	if _, ok := err.(storagedriver.PathNotFoundError); !ok || said.Len() > 0 {
		t.Errorf("%T %v, log: %s", err, err, said)
	}
}

var (
	errPanic = errors.New("panic")
	errEmpty = errors.New("empty")
)

// TestBlobWithoutStore has the engine begin to send a blob that it knows of.
func TestBlobWithoutStore(t *testing.T) {
	for name, test := range map[string]struct {
		err       error
		telling   int
		status    int
		body      string
		retrySoon bool
		said      string
	}{
		"the store answers":            {nil, http.StatusOK, http.StatusOK, "a layer", false, ""},
		"it may not be read":           {errDenied, http.StatusOK, http.StatusServiceUnavailable, errClosed.Error(), true, "AccessDenied"},
		"its driver fails":             {errPanic, http.StatusOK, http.StatusServiceUnavailable, errAway.Error(), true, "something other than the store answers there"},
		"the layer is archived":        {errArchived, http.StatusOK, http.StatusServiceUnavailable, errUnreadable.Error(), true, "path=/layer"},
		"it does not":                  {errSlow, http.StatusOK, http.StatusServiceUnavailable, errAway.Error(), true, "SlowDown"},
		"the store answers for a part": {nil, http.StatusPartialContent, http.StatusPartialContent, "a layer", false, ""},
		"it does not for a part":       {errSlow, http.StatusPartialContent, http.StatusServiceUnavailable, errAway.Error(), true, "SlowDown"},
		"it has lost it":               {fs.ErrNotExist, http.StatusOK, http.StatusNotFound, "BLOB_UNKNOWN", false, "/layer"},
		"it has lost it for a part":    {fs.ErrNotExist, http.StatusPartialContent, http.StatusNotFound, "BLOB_UNKNOWN", false, "/layer"},
		"it has lost what was in it":   {errEmpty, http.StatusOK, http.StatusNotFound, "BLOB_UNKNOWN", false, "a file is shorter than it was\" path=/layer"},
		"it says something else":       {errors.New("NeverHeardOf: that"), http.StatusOK, http.StatusInternalServerError, "the log of the server says more", false, "NeverHeardOf: that\" path=/layer"},
	} {
		t.Run(name, func(t *testing.T) {
			store := &failing{StorageDriver: inmemory.New()}
			g, driver, said := guarded(store)
			if err := driver.PutContent(t.Context(), "/layer", []byte("a layer")); err != nil {
				t.Fatal(err)
			}
			if test.err == errEmpty {
				if err := driver.PutContent(t.Context(), "/layer", nil); err != nil {
					t.Fatal(err)
				}
			} else if test.err != nil {
				store.fail(func(string) error {
					if test.err == errPanic {
						panic("index out of range")
					}
					return test.err
				})
			}
			server := httptest.NewServer(g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "7")
				w.Header().Set("Content-Range", "bytes 0-6/7")
				w.WriteHeader(test.telling)
				if reader, err := driver.Reader(r.Context(), "/layer", 0); err == nil {
					_, _ = io.Copy(w, reader)
				}
			})))
			defer server.Close()
			response, err := http.Get(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != test.status || !strings.Contains(string(body), test.body) {
				t.Errorf("%s: %s: %v", response.Status, body, err)
			}
			if test.retrySoon != (response.Header.Get("Retry-After") != "") || test.err != nil && response.Header.Get("Content-Range") != "" {
				t.Errorf("%v", response.Header)
			}
			if lines := said.String(); (test.said == "") != (lines == "") || strings.Count(lines, "\n") > 1 || !strings.Contains(lines, test.said) {
				t.Errorf("the log: %s", lines)
			}
		})
	}
}

// silent never answers, as Google's client does while its server is away.
type silent struct{ storagedriver.StorageDriver }

func (silent) Stat(ctx context.Context, _ string) (storagedriver.FileInfo, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (silent) Walk(ctx context.Context, _ string, _ storagedriver.WalkFn, _ ...func(*storagedriver.WalkOptions)) error {
	<-ctx.Done()
	return ctx.Err()
}

func (s silent) Reader(ctx context.Context, path string, _ int64) (io.ReadCloser, error) {
	if path == "/silent" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return silentReader{ctx}, nil
}

// silentReader falls silent after it was opened.
type silentReader struct{ ctx context.Context }

func (r silentReader) Read([]byte) (int, error) {
	<-r.ctx.Done()
	return 0, r.ctx.Err()
}

func (silentReader) Close() error { return nil }

// silentInWork answers small requests, and no other.
type silentInWork struct{ storagedriver.StorageDriver }

func (silentInWork) List(ctx context.Context, _ string) ([]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (silentInWork) Move(ctx context.Context, _, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

func (silentInWork) Delete(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

// silentWriter takes what is written, and never says that it has it.
type silentWriter struct {
	storagedriver.FileWriter
	ctx context.Context
}

func (s silent) Writer(ctx context.Context, _ string, _ bool) (storagedriver.FileWriter, error) {
	return silentWriter{ctx: ctx}, nil
}

func (w silentWriter) Write([]byte) (int, error) {
	<-w.ctx.Done()
	return 0, w.ctx.Err()
}

func (w silentWriter) Commit(context.Context) error {
	<-w.ctx.Done()
	return w.ctx.Err()
}

func (silentWriter) Close() error { return nil }

// byWriter has the store write by one way.
func byWriter(write func(context.Context, storagedriver.FileWriter) error) func(context.Context, storagedriver.StorageDriver) error {
	return func(ctx context.Context, d storagedriver.StorageDriver) error {
		writer, err := d.Writer(ctx, "/a", false)
		if err != nil {
			return err
		}
		defer writer.Close()
		return write(ctx, writer)
	}
}

func TestSilentStore(t *testing.T) {
	working := silentInWork{inmemory.New()}
	if err := working.PutContent(t.Context(), "/a", nil); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		store storagedriver.StorageDriver
		ask   func(context.Context, storagedriver.StorageDriver) error
	}{
		"list": {working, func(ctx context.Context, d storagedriver.StorageDriver) error {
			_, err := d.List(ctx, "/")
			return err
		}},
		"move":   {working, func(ctx context.Context, d storagedriver.StorageDriver) error { return d.Move(ctx, "/a", "/b") }},
		"delete": {working, func(ctx context.Context, d storagedriver.StorageDriver) error { return d.Delete(ctx, "/a") }},
		"stat": {silent{inmemory.New()}, func(ctx context.Context, d storagedriver.StorageDriver) error {
			_, err := d.Stat(ctx, "/a")
			return err
		}},
		"walk": {silent{inmemory.New()}, func(ctx context.Context, d storagedriver.StorageDriver) error { return d.Walk(ctx, "/", nil) }},
		"open": {silent{inmemory.New()}, func(ctx context.Context, d storagedriver.StorageDriver) error {
			_, err := d.Reader(ctx, "/silent", 0)
			return err
		}},
		"read": {silent{inmemory.New()}, func(ctx context.Context, d storagedriver.StorageDriver) error {
			reader, err := d.Reader(ctx, "/a", 0)
			if err != nil {
				return err
			}
			defer reader.Close()
			_, err = io.ReadAll(reader)
			return err
		}},
		"write": {silent{inmemory.New()}, byWriter(func(_ context.Context, w storagedriver.FileWriter) error {
			_, err := w.Write([]byte("a"))
			return err
		})},
		"commit": {silent{inmemory.New()}, byWriter(func(ctx context.Context, w storagedriver.FileWriter) error { return w.Commit(ctx) })},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, driver, _ := guarded(test.store)
				recorder := httptest.NewRecorder()
				g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					http.Error(w, fmt.Sprint(test.ask(r.Context(), driver)), http.StatusInternalServerError)
				})).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/", nil))
				if recorder.Code != http.StatusServiceUnavailable {
					t.Errorf("%d: %s", recorder.Code, recorder.Body)
				}
			})
		})
	}
}

func (s silent) List(ctx context.Context, _ string) ([]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s silent) GetContent(ctx context.Context, _ string) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestSilentForAll ends soon what waits for a store that answers nobody.
func TestSilentForAll(t *testing.T) {
	for name, test := range map[string]struct {
		ask  func(context.Context, storagedriver.StorageDriver)
		most time.Duration
	}{
		// Three fit into half a minute.
		"health check": {func(ctx context.Context, d storagedriver.StorageDriver) { _, _ = d.Stat(ctx, "/") }, checkPatience},
		"list":         {func(ctx context.Context, d storagedriver.StorageDriver) { _, _ = d.List(ctx, "/a") }, patience + checkPatience},
		"commit": {func(ctx context.Context, d storagedriver.StorageDriver) {
			writer, _ := d.Writer(ctx, "/a", false)
			_ = writer.Commit(ctx)
		}, patience + checkPatience},
		"tag and manifest": {func(ctx context.Context, d storagedriver.StorageDriver) {
			_, _ = d.GetContent(ctx, "/tag")
			_, _ = d.Stat(ctx, "/manifest")
		}, patience},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, driver, _ := guarded(silent{inmemory.New()})
				began := time.Now()
				g.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					test.ask(r.Context(), driver)
				})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
				if took := time.Since(began); took > test.most {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

// slow takes so many bytes in a second.
type slow struct {
	storagedriver.StorageDriver
	rate int
}

func (s slow) PutContent(ctx context.Context, path string, content []byte) error {
	if err := wait.For(ctx, time.Duration(len(content))*time.Second/time.Duration(s.rate)); err != nil {
		return err
	}
	return s.StorageDriver.PutContent(ctx, path, content)
}

// TestSlowStore takes what is small in a moment, and longer than that for the largest manifest.
func TestSlowStore(t *testing.T) {
	for rate, slowest := range map[int]bool{50_000: false, 10_000: true} {
		synctest.Test(t, func(t *testing.T) {
			_, driver, _ := guarded(slow{inmemory.New(), rate})
			for _, size := range []int{100, manifest.MostBytes} {
				err := driver.PutContent(t.Context(), "/a", make([]byte, size))
				if given := slowest && size > 100; (err != nil) != given {
					t.Errorf("%d bytes at %d a second: %v", size, rate, err)
				}
			}
		})
	}
}

func TestOutageIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &failing{StorageDriver: inmemory.New()}
		g, driver, said := guarded(store)
		engine := logrus.New()
		var lines bytes.Buffer
		engine.SetOutput(&lines)
		g.Quiet(engine)
		ask := func() {
			if _, err := driver.List(t.Context(), "/"); err != nil {
				engine.WithField("err.detail", err).Error("response completed with error")
				engine.WithField("err.message", err.Error()).Error("response completed with error")
				engine.Errorf("storage driver health check: %v", err)
				g.Log().WithError(err).Warn("it is tried again")
			}
		}
		expect := func(when string, want ...string) {
			t.Helper()
			got := strings.Split(strings.TrimSpace(said.String()), "\n")
			said.Reset()
			if len(want) == 0 && got[0] == "" {
				return
			}
			if len(got) != len(want) {
				t.Errorf("%s: %q", when, got)
				return
			}
			for i, text := range want {
				if !strings.Contains(got[i], text) {
					t.Errorf("%s: %s", when, got[i])
				}
			}
		}
		ask()
		expect("all is well")
		store.fail(func(string) error { return errSlow })
		for range 60 {
			ask()
			time.Sleep(time.Second)
		}
		expect("an outage", `cannot list s3 bucket \"images\" in region eu-west-1: it is overloaded`)
		// An overloaded store answers now and then.
		for range 5 {
			store.heal()
			ask()
			store.fail(func(string) error { return errSlow })
			ask()
			time.Sleep(time.Second)
		}
		expect("some answers")
		// What is behind it shows later, and once.
		for range 2 {
			for _, err := range []error{errRefused, errSlow} {
				store.fail(func(string) error { return err })
				ask()
			}
		}
		expect("another reason", `cannot list s3 bucket \"images\" in region eu-west-1: the credentials were refused`)
		g.Log().WithError(errSlow).Error("an event is lost")
		g.Log().Warn("a warning of something else")
		expect("what no notice of the outage says", "an event is lost", "something else")
		store.heal()
		time.Sleep(calm)
		ask()
		expect("the end", `s3 bucket \"images\" in region eu-west-1 answers again; it failed 69 times in 1m5s`)
		if lines.Len() > 0 {
			t.Errorf("the engine said %s", &lines)
		}
		engine.Error("SlowDown, some other time")
		if lines.Len() == 0 {
			t.Error("the engine may say nothing")
		}
	})
}

// TestFilesAreToldOnce has some files of a store be archived, one by one and many at a time.
func TestFilesAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &failing{StorageDriver: inmemory.New()}
		driver, engine, said := quieted(store)
		read := func(path string) {
			if _, err := driver.GetContent(t.Context(), path); err != nil {
				engine.WithField("err.detail", err).Error("response completed with error")
			}
		}
		expect := func(when string, n int, want ...string) {
			t.Helper()
			got := said.String()
			said.Reset()
			if strings.Count(got, "\n") != n {
				t.Errorf("%s: %s", when, got)
			}
			for _, text := range want {
				if strings.Count(got, text) != 1 {
					t.Errorf("%s: not %s: %s", when, text, got)
				}
			}
		}
		if err := driver.PutContent(t.Context(), "/whole", nil); err != nil {
			t.Fatal(err)
		}
		store.fail(func(path string) error {
			if strings.HasPrefix(path, "/archived") {
				return errArchived
			}
			return nil
		})
		for range 10 {
			read("/archived/a")
			read("/archived/b")
			time.Sleep(calm / 3)
			read("/whole")
		}
		expect("two files", 2, "path=/archived/a", "path=/archived/b")
		time.Sleep(calm)
		read("/whole")
		expect("others are read", 0)
		read("/archived/a")
		expect("one is asked for again", 1, "path=/archived/a")
		for i := range 2 * mostFiles {
			read(fmt.Sprintf("/archived/%d", i))
		}
		expect("many", mostFiles-1)
	})
}

// TestEndedAlready is beside the reason that an upload could not be completed.
func TestEndedAlready(t *testing.T) {
	_, engine, said := quieted(inmemory.New())
	for _, state := range []string{"closed", "committed"} {
		engine.Errorf("error canceling upload after error: %v", errors.New("already "+state))
	}
	if said.Len() > 0 {
		t.Errorf("the log says %s", said)
	}
	engine.Errorf("error canceling upload after error: %v", errSlow)
	if !strings.Contains(said.String(), "SlowDown") {
		t.Errorf("the log says %q", said)
	}
}

// TestReadDespiteDenial has a request that reads write beside, which it may not.
func TestReadDespiteDenial(t *testing.T) {
	store := &failing{StorageDriver: inmemory.New()}
	store.fail(func(string) error { return errDenied })
	g, driver, _ := guarded(store)
	recorder := httptest.NewRecorder()
	g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if driver.PutContent(r.Context(), "/a", nil) == nil {
			t.Error("it was written")
		}
		w.WriteHeader(http.StatusOK)
	})).ServeHTTP(recorder, httptest.NewRequest(http.MethodHead, "/", nil))
	if recorder.Code != http.StatusOK {
		t.Errorf("%d: %s", recorder.Code, recorder.Body)
	}
}

// TestMistakeDespiteDenial has a client's mistake, and what is done about it not be allowed: that of a digest
// is no other for what was uploaded not being deleted.
func TestMistakeDespiteDenial(t *testing.T) {
	store := &failing{StorageDriver: inmemory.New()}
	store.fail(func(string) error { return errDenied })
	g, driver, _ := guarded(store)
	for _, status := range []int{http.StatusBadRequest, http.StatusNotFound} {
		recorder := httptest.NewRecorder()
		g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if driver.PutContent(r.Context(), "/a", nil) == nil {
				t.Error("it was written")
			}
			w.WriteHeader(status)
		})).ServeHTTP(recorder, httptest.NewRequest(http.MethodPut, "/", nil))
		if recorder.Code != status {
			t.Errorf("%d became %d: %s", status, recorder.Code, recorder.Body)
		}
	}
}

// TestLimitsAreToldOnce has a store answer, and not do all that it is asked.
func TestLimitsAreToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &failing{StorageDriver: inmemory.New()}
		driver, engine, said := quieted(store)
		write := func() {
			if err := driver.PutContent(t.Context(), "/a", nil); err != nil {
				engine.WithField("err.detail", err).Error("response completed with error")
			}
		}
		list := func() { _, _ = driver.List(t.Context(), "/") }
		expect := func(when, want string) {
			t.Helper()
			if got := strings.TrimSpace(said.String()); strings.Contains(got, "\n") || (got == "") != (want == "") || !strings.Contains(got, want) {
				t.Errorf("%s: %s", when, got)
			}
			said.Reset()
		}
		for range 60 {
			store.fail(func(string) error { return errDenied })
			write()
			// It may be read all the time.
			store.heal()
			list()
			time.Sleep(time.Second)
		}
		expect("it may not be written", `cannot write to s3 bucket \"images\" in region eu-west-1: it may be read but not written; allow the credentials s3:PutObject`)
		store.fail(func(string) error { return errFull })
		write()
		full := `cannot write to s3 bucket \"images\" in region eu-west-1: it is full; make space or raise its quota`
		expect("it is full as well", full)
		store.fail(func(string) error { return errDenied })
		write()
		expect("one of both", "")
		// What the log says last is what there is still to do something about.
		for range 2 {
			time.Sleep(calm)
			write()
			expect("not full any more", "it may be read but not written")
			store.fail(func(string) error { return errFull })
			for range 2 {
				write()
				expect("either may be", "")
			}
			time.Sleep(calm)
			write()
			expect("full again", full)
			store.fail(func(string) error { return errDenied })
		}
		store.fail(func(string) error { return errFull })
		store.fail(func(string) error { return errSlow })
		list()
		expect("it goes away as well", `cannot list s3 bucket \"images\" in region eu-west-1: it is overloaded`)
		store.heal()
		time.Sleep(calm)
		list()
		expect("it answers", "answers again; it failed 1 times in 0s")
		write()
		expect("it may be written", `it is possible again to write to s3 bucket \"images\" in region eu-west-1; it failed 70 times in 3m0s`)
		store.fail(func(string) error { return errKept })
		if driver.Move(t.Context(), "/a", "/b") == nil {
			t.Error("it was moved")
		}
		expect("what it moved may not be deleted", `cannot delete from s3 bucket \"images\" in region eu-west-1: it may be written, but nothing may be deleted`)
		store.heal()
		time.Sleep(calm)
		write()
		expect("nothing was deleted yet", "")
		_ = driver.Delete(t.Context(), "/a")
		expect("it may be deleted", `it is possible again to delete from s3 bucket \"images\" in region eu-west-1; it failed 1 times in 0s`)
	})
}
