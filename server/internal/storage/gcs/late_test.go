package gcs

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

var underWay, blob = layout.UploadPath("app", "1"), "/docker/registry/v2/blobs/sha256/aa/aabb/data"

// request opens an upload as one of many servers does, and writes to it.
func request(t *testing.T, d storagedriver.StorageDriver, appendTo bool, content []byte) storagedriver.FileWriter {
	t.Helper()
	w, err := d.Writer(t.Context(), underWay, appendTo)
	if err == nil {
		_, err = w.Write(content)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func move(ctx context.Context, w storagedriver.FileWriter) error {
	return w.(*writer).Move(ctx, underWay, blob)
}

// TestLate lets a request end after another server has committed the upload that both had open.
func TestLate(t *testing.T) {
	begun, good, evil := large[:chunk+50], large[chunk+50:], slices.Repeat([]byte("evil"), chunk/2)
	for name, test := range map[string]struct{ begun, late, last []byte }{
		"nothing":                         {nil, nil, []byte("good")},
		"bytes":                           {nil, []byte("evil"), []byte("good")},
		"a chunk":                         {nil, evil, []byte("good")},
		"bytes of a session":              {begun, []byte("evil"), good},
		"nothing of a session":            {begun, nil, good},
		"bytes after a session of others": {nil, []byte("evil"), large},
	} {
		for end, do := range map[string]func(storagedriver.FileWriter) error{
			"close":  storagedriver.FileWriter.Close,
			"commit": func(w storagedriver.FileWriter) error { return w.Commit(t.Context()) },
		} {
			t.Run(name+", "+end, func(t *testing.T) {
				d := new(google).open(t, "")
				if err := request(t, d, false, test.begun).Close(); err != nil {
					t.Fatal(err)
				}
				held := request(t, d, true, test.late)
				last := request(t, d, true, test.last)
				if err := last.Commit(t.Context()); err != nil {
					t.Fatal(err)
				}
				// The end of a session of its own does make an object, but not the one that the other server has committed.
				late := do(held)
				if late == nil {
					late = move(t.Context(), last)
				} else if err := move(t.Context(), last); err != nil {
					t.Errorf("moved: %v", err)
				}
				if !errors.Is(late, layout.ErrOvertaken) {
					t.Errorf("late: %v", late)
				}
				want := string(test.begun) + string(test.last)
				if content, err := d.GetContent(t.Context(), blob); err == nil && string(content) != want || err != nil && !layout.IsMissing(err) {
					t.Errorf("the blob has %d bytes: %v", len(content), err)
				}
			})
		}
	}
}

// TestSentToOneSession has a chunk that Google ignores, because a chunk of another server is there, of the same size.
func TestSentToOneSession(t *testing.T) {
	d := new(google).open(t, "")
	if err := request(t, d, false, large[:chunk]).Close(); err != nil {
		t.Fatal(err)
	}
	held, last := request(t, d, true, nil), request(t, d, true, nil)
	if _, err := held.Write(slices.Repeat([]byte("evil"), chunk/4)); err != nil {
		t.Fatal(err)
	}
	if _, err := last.Write(large[chunk : 2*chunk]); err != nil {
		t.Fatal(err)
	}
	if err := last.Close(); err != nil {
		t.Fatal(err)
	}
	if err := request(t, d, true, large[2*chunk:]).Commit(t.Context()); !errors.Is(err, layout.ErrOvertaken) {
		t.Errorf("%v", err)
	}
	if _, err := held.Write(large); !errors.Is(err, layout.ErrOvertaken) {
		t.Errorf("it is at its end: %v", err)
	}
}

// TestReplaced lets another server continue a committed upload before it is moved.
func TestReplaced(t *testing.T) {
	g := &google{}
	d := g.open(t, "")
	first := request(t, d, false, []byte("good"))
	if err := first.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	other := request(t, d, true, []byte(" and more"))
	if err := other.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := move(t.Context(), first); !errors.Is(err, layout.ErrOvertaken) {
		t.Errorf("%v", err)
	}
	if err := move(t.Context(), other); err != nil {
		t.Error(err)
	}
	if content, err := d.GetContent(t.Context(), blob); err != nil || string(content) != "good and more" {
		t.Errorf("%q: %v", content, err)
	}
}

// TestLostAnswer loses the answer to a request with a condition that Google has carried out. When the request is sent
// again, the condition no longer holds. If another server was faster, the object is that server's.
func TestLostAnswer(t *testing.T) {
	put := isUpload(http.MethodPost, "")
	for name, test := range map[string]struct {
		asks func(*http.Request) bool
		// which of these requests loses its answer
		which  int32
		faster bool
	}{
		"begins":             {put, 1, false},
		"goes on":            {put, 2, false},
		"ends":               {put, 3, false},
		"begins by another":  {put, 1, true},
		"goes on by another": {put, 2, true},
		"ends by another":    {put, 3, true},
		"copied":             {isObject(http.MethodPost), 1, false},
		"deleted":            {isObject(http.MethodDelete), 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &google{}
			d := g.open(t, "")
			var asked atomic.Int32
			g.instead = func(w http.ResponseWriter, r *http.Request) bool {
				if !test.asks(r) || asked.Add(1) != test.which {
					return false
				}
				if test.faster {
					_, _ = io.Copy(io.Discard, r.Body)
					g.put(&object{Name: underWay[1:], ContentType: sessionType}, g.file(), 0)
				} else {
					g.serve(httptest.NewRecorder(), r)
				}
				reset(w)
				return true
			}
			err := push(t.Context(), d)
			if asked.Load() <= test.which {
				t.Errorf("asked %d times", asked.Load())
			}
			if test.faster {
				if !errors.Is(err, layout.ErrOvertaken) {
					t.Error(err)
				}
				return
			}
			if content, err2 := d.GetContent(t.Context(), blob); err != nil || err2 != nil || string(content) != "content" {
				t.Errorf("%q: %v, %v", content, err, err2)
			}
			if g.objects[underWay[1:]] != nil {
				t.Error("the upload is left")
			}
		})
	}
}

// push uploads with three puts: one when the upload begins, one when it continues and one when it ends.
func push(ctx context.Context, d storagedriver.StorageDriver) error {
	w, err := d.Writer(ctx, underWay, false)
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if w, err = d.Writer(ctx, underWay, true); err != nil {
		return err
	}
	if _, err := w.Write([]byte("content")); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if w, err = d.Writer(ctx, underWay, true); err != nil {
		return err
	}
	if err := w.Commit(ctx); err != nil {
		return err
	}
	return move(ctx, w)
}

// TestBusyUpload has a Google that is busy forever. The client itself would also retry requests with a condition, but
// would never give up.
func TestBusyUpload(t *testing.T) {
	t.Parallel()
	g := &google{}
	d := g.open(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asked atomic.Int32
	g.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if !isUpload(http.MethodPost, "")(r) {
			return false
		}
		if asked.Add(1) > tries {
			cancel()
		}
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	if err := push(ctx, d); err == nil || ctx.Err() != nil || asked.Load() != tries {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
}
