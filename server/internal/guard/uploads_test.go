package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/fair"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

func TestPlaces(t *testing.T) {
	const memory = 460 << 20
	for name, test := range map[string]struct {
		driver     string
		parameters configuration.Parameters
		memory     int64
		want       int64
	}{
		"s3":            {"s3", nil, memory, 8},
		"s3, its parts": {"s3aws", configuration.Parameters{"chunksize": 5 << 20}, memory, 16},
		"s3, as text":   {"s3", configuration.Parameters{"chunksize": "0x500000"}, memory, 16},
		"azure":         {"azure", nil, memory, 36},
		"gcs":           {"gcs", nil, memory, 5},
		"swift":         {"swift", nil, memory, 5},
		"oss":           {"oss", nil, memory, 12},
		"a folder":      {"filesystem", nil, memory, 0},
		"the largest":   {"s3", configuration.Parameters{"chunksize": 87556096}, memory, 1},
		"little memory": {"gcs", nil, 57 << 20, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := int64(0)
			if p := placesOf(configuration.Storage{test.driver: test.parameters}, test.memory); p.bodies != nil {
				got = -p.bodies.Missing(0)
			}
			if got != test.want {
				t.Errorf("%d places, want %d", got, test.want)
			}
		})
	}
}

// TestFits has no driver take a chunk of which there is no room for one upload.
func TestFits(t *testing.T) {
	const memory = 460 << 20
	for name, test := range map[string]struct {
		driver   string
		chunk    any
		memory   int64
		readOnly bool
		want     string
	}{
		"the largest":      {"s3", 87556096, memory, false, ""},
		"one larger":       {"s3", 87556097, memory, false, "storage.s3.chunksize: 87556097 is too much for GOMEMLIMIT (1 GiB where it is not set); give 87556096 or less, or more memory"},
		"of the old name":  {"s3aws", "0x10000000", memory, false, "storage.s3aws.chunksize: 268435456 is too much for GOMEMLIMIT (1 GiB where it is not set); give 87556096 or less, or more memory"},
		"larger than all":  {"oss", int64(1) << 62, memory, false, "storage.oss.chunksize: 4611686018427387904 is too much for GOMEMLIMIT (1 GiB where it is not set); give 128450560 or less, or more memory"},
		"nobody uploads":   {"s3", 87556097, memory, true, ""},
		"the usual":        {"swift", nil, 57 << 20, false, ""},
		"the usual, given": {"swift", 16777216, 57 << 20, false, ""},
		"more than that":   {"swift", 16777217, 57 << 20, false, "storage.swift.chunksize: 16777217 is too much for GOMEMLIMIT (1 GiB where it is not set); give 16777216 or less, or more memory"},
		"a folder":         {"filesystem", nil, 1 << 20, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			parameters := configuration.Parameters{}
			if test.chunk != nil {
				parameters["chunksize"] = test.chunk
			}
			got := ""
			c := &configuration.Configuration{Storage: configuration.Storage{test.driver: parameters, "maintenance": {}}}
			if test.readOnly {
				c = registrytest.ReadOnly(c)
			}
			if err := Fits(c, test.memory); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// addressOf is that of a client with one upload.
func addressOf(path string) string { return fmt.Sprintf("192.0.2.%d:1", path[1]) }

// pushes sends a body to a server with two places, by an engine that never closes.
type pushes struct {
	guard   *Guard
	handler http.Handler
}

func newPushes() pushes {
	g := &Guard{places: &places{bodies: fair.NewRoom(2, 1), short: make(bounds.Places, 1), wait: longestWait}}
	driver := bounded{inmemory.New(), g.places}
	return pushes{g, fair.Handler(g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writer, err := driver.Writer(r.Context(), r.URL.Path, false)
		if err == nil {
			_, err = io.Copy(writer, r.Body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})))}
}

func (p pushes) start(ctx context.Context, path string, body io.Reader) <-chan *http.Response {
	done := make(chan *http.Response, 1)
	go func() {
		recorder := httptest.NewRecorder()
		request := httptest.NewRequestWithContext(ctx, http.MethodPatch, path, body)
		request.RemoteAddr = addressOf(path)
		p.handler.ServeHTTP(recorder, request)
		done <- recorder.Result()
	}()
	synctest.Wait()
	return done
}

func ended(t *testing.T, done <-chan *http.Response) *http.Response {
	t.Helper()
	synctest.Wait()
	select {
	case response := <-done:
		return response
	default:
		return nil
	}
}

func TestUploads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPushes()
		var clients []*io.PipeWriter
		var uploads []<-chan *http.Response
		for _, path := range []string{"/a", "/b", "/c"} {
			body, client := io.Pipe()
			go func() { _, _ = client.Write([]byte("x")) }()
			clients, uploads = append(clients, client), append(uploads, p.start(t.Context(), path, body))
		}

		// The third waits for one of the first two; what is soon done does not.
		if r := ended(t, p.start(t.Context(), "/short", http.NoBody)); r == nil {
			t.Error("a request without a body waits")
		}
		clients[2].Close()
		if r := ended(t, uploads[2]); r != nil {
			t.Fatalf("the third upload ended while two were under way: %s", r.Status)
		}
		clients[0].Close()
		for i, want := range []bool{true, false, true} {
			r := ended(t, uploads[i])
			if (r != nil) != want || r != nil && r.StatusCode != http.StatusAccepted {
				t.Errorf("upload %d: %v", i, r)
			}
		}

		// A client that goes while it sends, or while it waits, leaves no place behind.
		uploads, clients = nil, clients[1:2]
		for _, path := range []string{"/d", "/e"} {
			body, client := io.Pipe()
			go func() { _, _ = client.Write([]byte("x")) }()
			clients, uploads = append(clients, client), append(uploads, p.start(t.Context(), path, body))
		}
		ctx, goes := context.WithCancel(t.Context())
		uploads = append(uploads, p.start(ctx, "/f", strings.NewReader("x")))
		goes()
		for _, client := range clients {
			client.CloseWithError(io.ErrUnexpectedEOF)
		}
		for i, each := range uploads {
			if ended(t, each) == nil {
				t.Errorf("upload %d did not end", i)
			}
		}
		if n := p.guard.places.bodies.Taken() + int64(len(p.guard.places.short)); n > 0 {
			t.Errorf("%d places are taken when nobody uploads", n)
		}
	})
}

// TestUploadsOfOneClient leave a place to others.
func TestUploadsOfOneClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPushes()
		var clients []*io.PipeWriter
		for _, path := range []string{"/a1", "/a2", "/a3"} {
			body, client := io.Pipe()
			go func() { _, _ = client.Write([]byte("x")) }()
			p.start(t.Context(), path, body)
			clients = append(clients, client)
		}
		if r := ended(t, p.start(t.Context(), "/b", strings.NewReader("x"))); r == nil || r.StatusCode != http.StatusAccepted {
			t.Errorf("another client's: %v", r)
		}
		for _, client := range clients {
			client.Close()
		}
	})
}

func TestTooManyUploads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPushes()
		var clients []*io.PipeWriter
		for _, path := range []string{"/a", "/b"} {
			body, client := io.Pipe()
			go func() { _, _ = client.Write([]byte("x")) }()
			p.start(t.Context(), path, body)
			clients = append(clients, client)
		}
		r := <-p.start(t.Context(), "/c", strings.NewReader("x"))
		body, _ := io.ReadAll(r.Body)
		if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") != "10" || !strings.Contains(string(body), errBusy.Error()) {
			t.Errorf("%s, Retry-After %q: %s", r.Status, r.Header.Get("Retry-After"), body)
		}
		for _, client := range clients {
			client.Close()
		}
	})
}

// TestRereads has more uploads read once more than there are places, and blobs beside them.
func TestRereads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := inmemory.New()
		upload, blob := layout.UploadPath("app", "1"), layout.BlobPath(digest.FromString("a blob"))
		for _, path := range []string{upload, blob} {
			if err := store.PutContent(t.Context(), path, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		d := bounded{store, placesOf(configuration.Storage{"filesystem": nil}, 2*10*reread)}
		var open atomic.Int64
		stay := make(chan struct{})
		read := func(path string) {
			reader, err := d.Reader(t.Context(), path, 0)
			if err != nil {
				t.Error(err)
				return
			}
			open.Add(1)
			<-stay
			reader.Close()
		}
		for range 3 {
			go read(upload)
		}
		synctest.Wait()
		if got := open.Load(); got != 2 {
			t.Errorf("%d uploads are read", got)
		}
		go read(blob)
		synctest.Wait()
		if got := open.Load(); got != 3 {
			t.Error("a blob waits as well")
		}
		close(stay)
		synctest.Wait()
		if got := open.Load(); got != 4 {
			t.Error("the third upload waits yet")
		}
	})
}

// unappendable has uploads that can't go on.
type unappendable struct {
	storagedriver.StorageDriver
	err error
}

func (d unappendable) Writer(context.Context, string, bool) (storagedriver.FileWriter, error) {
	return nil, d.err
}

// TestEndedUpload is one whose bytes are all there, and were not put in the blob's place. Its client
// can't go on with it.
func TestEndedUpload(t *testing.T) {
	path := layout.UploadPath("app", "1")
	for name, test := range map[string]struct {
		there   []byte
		err     error
		unknown bool
	}{
		"ended":             {[]byte("layer"), errors.New("append to zero-size path " + path + " unsupported"), true},
		"gone":              {nil, storagedriver.PathNotFoundError{Path: path}, true},
		"gone by now":       {nil, errors.New("append to zero-size path " + path + " unsupported"), true},
		"nothing was sent":  {[]byte{}, errors.New("NeverHeardOf: that"), false},
		"the store is away": {[]byte("layer"), errSlow, false},
	} {
		t.Run(name, func(t *testing.T) {
			store := inmemory.New()
			if test.there != nil {
				if err := store.PutContent(t.Context(), path, test.there); err != nil {
					t.Fatal(err)
				}
			}
			_, driver, _ := guarded(unappendable{store, test.err})
			// The engine compares it so.
			if _, err := driver.Writer(t.Context(), path, true); (err == distribution.ErrBlobUploadUnknown) != test.unknown {
				t.Error(err)
			}
		})
	}
}
