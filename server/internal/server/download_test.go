package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// counted counts what is read of blobs, and how often one is opened.
type counted struct {
	storagedriver.StorageDriver
	read, opened atomic.Int64
	redirects    bool
}

func (c *counted) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	reader, err := c.StorageDriver.Reader(ctx, path, offset)
	if err != nil || !layout.IsBlob(path) {
		return reader, err
	}
	c.opened.Add(1)
	return countedReader{reader, c}, nil
}

func (c *counted) RedirectURL(_ *http.Request, path string) (string, error) {
	if c.redirects {
		return "https://store.example" + path, nil
	}
	return "", nil
}

type countedReader struct {
	io.ReadCloser
	of *counted
}

func (r countedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.of.read.Add(int64(n))
	return n, err
}

// pushedLayer is a server of a store, with a layer under its digests of both algorithms.
func pushedLayer(t *testing.T, store *counted, size int) (handler http.Handler, path string, content []byte) {
	t.Helper()
	c := registrytest.Config(t, store)
	c.Storage["redirect"] = map[string]any{"disable": !store.redirects}
	i := start(t, c, &http.Client{})
	content = registrytest.Layer(1, size)
	d := digest.FromBytes(content)
	for _, each := range []digest.Digest{d, digest.SHA512.FromBytes(content)} {
		registrytest.Client{URL: i.base}.PushBlob(t, "app", each, content)
	}
	return i.server.http.Handler, "/v2/app/blobs/" + d.String(), content
}

// TestDownloads has downloads as clients ask for them.
func TestDownloads(t *testing.T) {
	const size = 100_000
	store := &counted{StorageDriver: inmemory.New()}
	handler, path, content := pushedLayer(t, store, size)
	d := strings.TrimPrefix(path, "/v2/app/blobs/")
	many := "bytes=" + strings.TrimSuffix(strings.Repeat("0-1,", 2000), ",")
	last := "bytes=10-99999999999999999999"
	for name, each := range map[string]struct {
		method, header, value string
		status                int
		from, to              int
		opened                int64
	}{
		"all":                 {http.MethodGet, "", "", http.StatusOK, 0, size, 1},
		"nothing":             {http.MethodHead, "", "", http.StatusOK, 0, 0, 0},
		"a range":             {http.MethodGet, "Range", "bytes=10-19", http.StatusPartialContent, 10, 20, 1},
		"the end":             {http.MethodGet, "Range", "bytes=-7", http.StatusPartialContent, size - 7, size, 1},
		"beyond the end":      {http.MethodGet, "Range", "bytes=100000-", http.StatusRequestedRangeNotSatisfiable, 0, 0, 0},
		"far beyond the end":  {http.MethodGet, "Range", "bytes=99999999999999999999-", http.StatusRequestedRangeNotSatisfiable, 0, 0, 0},
		"to far beyond":       {http.MethodGet, "Range", last, http.StatusPartialContent, 10, size, 1},
		"far from the end":    {http.MethodGet, "Range", "bytes=-99999999999999999999", http.StatusPartialContent, 0, size, 1},
		"a unit in capitals":  {http.MethodGet, "Range", "Bytes=10-19", http.StatusPartialContent, 10, 20, 1},
		"another unit":        {http.MethodGet, "Range", "items=0-1", http.StatusOK, 0, size, 1},
		"no unit":             {http.MethodGet, "Range", "0-1", http.StatusOK, 0, size, 1},
		"a range backwards":   {http.MethodGet, "Range", "bytes=5-2", http.StatusRequestedRangeNotSatisfiable, 0, 0, 0},
		"the last nothing":    {http.MethodGet, "Range", "bytes=-0", http.StatusRequestedRangeNotSatisfiable, 0, 0, 0},
		"and in more figures": {http.MethodGet, "Range", "bytes= -00", http.StatusRequestedRangeNotSatisfiable, 0, 0, 0},
		"a range of letters":  {http.MethodGet, "Range", "bytes=abc", http.StatusRequestedRangeNotSatisfiable, 0, 0, 0},
		"a range of nothing":  {http.MethodGet, "Range", "bytes=-", http.StatusRequestedRangeNotSatisfiable, 0, 0, 0},
		"thousands of ranges": {http.MethodGet, "Range", many, http.StatusOK, 0, size, 1},
		"what it has":         {http.MethodGet, "If-None-Match", `"` + d + `"`, http.StatusNotModified, 0, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			before := store.opened.Load()
			request := httptest.NewRequestWithContext(t.Context(), each.method, path, nil)
			if each.header != "" {
				request.Header.Set(each.header, each.value)
			}
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, request)
			if w.Code != each.status {
				t.Fatal(w.Code, w.Body)
			}
			if w.Code == http.StatusRequestedRangeNotSatisfiable && (!strings.Contains(w.Body.String(), "RANGE_INVALID") || w.Header().Get("Content-Type") != "application/json") {
				t.Errorf("%s, which is %q", w.Body, w.Header().Get("Content-Type"))
			}
			if w.Code < http.StatusBadRequest && w.Body.String() != string(content[each.from:each.to]) {
				t.Errorf("%d bytes that are not those from %d to %d", w.Body.Len(), each.from, each.to)
			}
			if got := store.opened.Load() - before; got != each.opened {
				t.Errorf("the store was asked %d times", got)
			}
			if w.Code >= http.StatusMultipleChoices {
				return
			}
			for header, want := range map[string]string{
				"Docker-Content-Digest": d, "Etag": `"` + d + `"`, "Content-Type": "application/octet-stream",
				"Cache-Control": "max-age=31536000", "Location": "", "Accept-Ranges": "bytes",
			} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s: %q", header, got)
				}
			}
			if length := w.Header().Get("Content-Length"); each.method == http.MethodGet && length != fmt.Sprint(w.Body.Len()) {
				t.Errorf("Content-Length: %s", length)
			}
		})
	}
}

// TestDownloadByAnotherDigest asks for one blob by its digests of both algorithms.
func TestDownloadByAnotherDigest(t *testing.T) {
	handler, _, content := pushedLayer(t, &counted{StorageDriver: inmemory.New()}, 10)
	ask := func(method string, d digest.Digest, header, value string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "/v2/app/blobs/"+d.String(), nil)
		r.Header.Set(header, value)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	for _, d := range []digest.Digest{digest.SHA512.FromBytes(content), digest.FromBytes(content)} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := ask(method, d, "Accept", "*/*")
			etag := w.Header().Get("Etag")
			if w.Code != http.StatusOK || etag != `"`+d.String()+`"` || w.Header().Get("Docker-Content-Digest") != d.String() {
				t.Errorf("%s %s: %d %v", method, d, w.Code, w.Header())
			}
			if w := ask(method, d, "If-None-Match", etag); w.Code != http.StatusNotModified {
				t.Errorf("%s %s: %d", method, d, w.Code)
			}
		}
		if w := ask(http.MethodGet, d, "If-Match", `"`+d.String()+`"`); w.Code != http.StatusOK {
			t.Errorf("%s: %d", d, w.Code)
		}
	}
}

// TestDownloadThatNobodyTakes expects next to nothing of a layer in memory.
func TestDownloadThatNobodyTakes(t *testing.T) {
	store := &counted{StorageDriver: inmemory.New()}
	handler, path, _ := pushedLayer(t, store, 8<<20)
	told, stay, over := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		w := deaf{httptest.NewRecorder(), sync.OnceFunc(func() { close(told) }), stay}
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	}()
	<-told
	if got := store.read.Load(); got > 64<<10 {
		t.Errorf("%d bytes were read", got)
	}
	close(stay)
	<-over
}

// TestDownloadFromTheStore has clients redirected to the store for content, and for nothing else.
func TestDownloadFromTheStore(t *testing.T) {
	handler, _, content := pushedLayer(t, &counted{StorageDriver: inmemory.New(), redirects: true}, 10)
	for _, d := range []string{digest.FromBytes(content).String(), digest.SHA512.FromBytes(content).String()} {
		ask := func(method string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/v2/app/blobs/"+d, nil))
			if got := w.Header().Get("Docker-Content-Digest"); got != d {
				t.Errorf("%s %s: %q", method, d, got)
			}
			return w
		}
		w := ask(http.MethodGet)
		if location := w.Header().Get("Location"); w.Code != http.StatusTemporaryRedirect || !strings.HasPrefix(location, "https://store.example/") {
			t.Error(w.Code, location)
		}
		w = ask(http.MethodHead)
		if length := w.Header().Get("Content-Length"); w.Code != http.StatusOK || length != "10" || w.Header().Get("Location") != "" {
			t.Errorf("HEAD %s: %d, %s bytes", d, w.Code, length)
		}
	}
}

// vanishing lets blobs be looked for a number of times, and then fails.
type vanishing struct {
	storagedriver.StorageDriver
	left atomic.Int64
	err  error
}

func (v *vanishing) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	if layout.IsBlob(path) && v.left.Add(-1) < 0 {
		return nil, v.err
	}
	return v.StorageDriver.Stat(ctx, path)
}

// TestDownloadOfWhatGoes has a blob go as late as possible before the first byte. The client is told that it is
// gone, and nothing about the store.
func TestDownloadOfWhatGoes(t *testing.T) {
	for name, each := range map[string]struct {
		err    error
		status int
	}{
		"the blob":  {storagedriver.PathNotFoundError{}, http.StatusNotFound},
		"the store": {errors.New("no route to host"), http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			vanish := &vanishing{StorageDriver: inmemory.New(), err: each.err}
			vanish.left.Store(1000)
			handler, path, _ := pushedLayer(t, &counted{StorageDriver: vanish}, 10)
			last := httptest.NewRecorder()
			for looks := range int64(20) {
				vanish.left.Store(looks)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
				if w.Code == http.StatusOK {
					break
				}
				last = w
			}
			if location := last.Header().Get("Location"); last.Code != each.status || location != "" {
				t.Errorf("%d %s, and it leads to %q", last.Code, last.Body, location)
			}
		})
	}
}
