package gcs

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// TestOfEngine continues an upload that the engine's driver began, and leaves an upload that looks like the engine's.
func TestOfEngine(t *testing.T) {
	g := &google{}
	d := g.open(t, "f")
	if err := d.PutContent(t.Context(), "/a/1", large[chunk:chunk+50]); err != nil {
		t.Fatal(err)
	}
	tail := g.objects["f/a/1"]
	tail.ContentType = "application/x-docker-upload-session"
	session := "https://storage.googleapis.com/upload/session?name=f/a/1"
	tail.Metadata = map[string]string{"Session-URI": session, "Offset": fmt.Sprint(chunk)}
	g.sessions["f/a/1"] = &resumable{file: g.file(), size: chunk}
	if err := os.WriteFile(g.sessions["f/a/1"].file, large[:chunk], 0o600); err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func() error{
		"stat": func() error { _, err := d.Stat(t.Context(), "/a/1"); return err },
		"get":  func() error { _, err := d.GetContent(t.Context(), "/a/1"); return err },
		"list": func() error { _, err := d.List(t.Context(), "/a"); return err },
	} {
		if err := ask(); !layout.IsMissing(err) {
			t.Errorf("%s: %v", name, err)
		}
	}

	w, err := d.Writer(t.Context(), "/a/1", true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(large[chunk+50 : 2*chunk+30]); err != nil || w.Size() != 2*chunk+30 {
		t.Errorf("%d bytes: %v", w.Size(), err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	tail = g.objects["f/a/1"]
	want := map[string]string{"Session-URI": session, "Offset": fmt.Sprint(2 * chunk)}
	if tail.ContentType != "application/x-docker-upload-session" || tail.Size != "30" || !maps.Equal(tail.Metadata, want) {
		t.Errorf("%+v", tail)
	}

	w, err = d.Writer(t.Context(), "/a/1", true)
	if err == nil {
		_, err = w.Write(large[2*chunk+30:])
	}
	if err == nil {
		err = w.Commit(t.Context())
	}
	got, err2 := d.GetContent(t.Context(), "/a/1")
	if err != nil || err2 != nil || !bytes.Equal(got, large) || g.objects["f/a/1"].ContentType != "application/octet-stream" {
		t.Errorf("%d bytes: %v, %v", len(got), err, err2)
	}
}

// TestAppended appends to a committed file, which is possible only while the file fits into a chunk.
func TestAppended(t *testing.T) {
	d := new(google).open(t, "")
	for size, good := range map[int]bool{0: true, 100: true, chunk: true, chunk + 1: false} {
		path := fmt.Sprint("/a/", size)
		if err := upload(t.Context(), d, path, large[:size]); err != nil {
			t.Fatal(err)
		}
		w, err := d.Writer(t.Context(), path, true)
		if !good {
			if err == nil || layout.IsMissing(err) || !strings.Contains(err.Error(), "can't be appended to") {
				t.Errorf("%d bytes: %v", size, err)
			}
			continue
		}
		if err == nil {
			_, err = w.Write(large[size:])
		}
		if err == nil {
			err = w.Commit(t.Context())
		}
		if got, err2 := d.GetContent(t.Context(), path); err != nil || err2 != nil || !bytes.Equal(got, large) {
			t.Errorf("%d and then %d bytes: %v, %v", size, len(got), err, err2)
		}
	}
}

// TestEnded has writers that are used after their end.
func TestEnded(t *testing.T) {
	g := &google{}
	d := g.open(t, "")
	for name, end := range map[string]func(storagedriver.FileWriter) error{
		"committed": func(w storagedriver.FileWriter) error { return w.Commit(t.Context()) },
		"closed":    func(w storagedriver.FileWriter) error { return w.Close() },
		"cancelled": func(w storagedriver.FileWriter) error { return w.Cancel(t.Context()) },
	} {
		w, err := d.Writer(t.Context(), "/a/"+name, false)
		if err == nil {
			_, err = w.Write(large)
		}
		if err == nil {
			err = end(w)
		}
		if err != nil {
			t.Fatal(name, err)
		}
		if _, err := w.Write(large); err == nil {
			t.Errorf("%s: it could be written to", name)
		}
		if err := w.Commit(t.Context()); err == nil {
			t.Errorf("%s: it could be committed", name)
		}
		if err := w.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if g.objects["a/cancelled"] != nil || len(g.objects) != 2 {
		t.Errorf("%v", g.objects)
	}
}

// TestOneRequest expects no session for an upload that is smaller than a chunk, nor for a PutContent of any size.
func TestOneRequest(t *testing.T) {
	for _, size := range []int{0, 1, chunk - 1} {
		g := &google{}
		d := g.open(t, "")
		if err := upload(t.Context(), d, "/a/1", large[:size]); err != nil || len(g.sessions) > 0 {
			t.Errorf("%d bytes written in %d sessions: %v", size, len(g.sessions), err)
		}
	}
	for _, size := range []int{0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk} {
		g := &google{}
		d := g.open(t, "")
		if err := d.PutContent(t.Context(), "/a/1", large[:size]); err != nil || len(g.sessions) > 0 {
			t.Errorf("%d bytes put in %d sessions: %v", size, len(g.sessions), err)
		}
	}
}

// TestBrokenSession writes to a session again after an error. A part of a chunk had arrived before the error.
func TestBrokenSession(t *testing.T) {
	g := &google{}
	transport := g.start(t)
	raw := parameters(t, "")
	raw["chunksize"] = 2 * chunk
	d, err := newDriver(t.Context(), raw, transport)
	if err != nil {
		t.Fatal(err)
	}
	g.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if isUpload(http.MethodPut, fmt.Sprintf("bytes %d-", chunk))(r) {
			w.Header().Set("X-Guploader-Uploadid", "1")
			refuse(w, http.StatusForbidden, "no")
			return true
		}
		if isUpload(http.MethodPut, "bytes 0-")(r) {
			r.Body = io.NopCloser(io.LimitReader(r.Body, chunk+100))
		}
		return false
	}
	w, err := d.Writer(t.Context(), "/a/1", false)
	if err != nil {
		t.Fatal(err)
	}
	n, err := w.Write(large)
	if err == nil || n != 2*chunk || w.Size() != 2*chunk {
		t.Errorf("%d of %d bytes: %v", n, w.Size(), err)
	}
	g.instead = nil
	if _, err = w.Write(large[n:]); err == nil {
		err = w.Commit(t.Context())
	}
	if got, err2 := d.GetContent(t.Context(), "/a/1"); err != nil || err2 != nil || !bytes.Equal(got, large) {
		t.Errorf("%d bytes: %v, %v", len(got), err, err2)
	}
}

// TestSmallFiles expects a small file not to take the memory of a whole chunk: many may be written at once.
func TestSmallFiles(t *testing.T) {
	g := &google{}
	transport := g.start(t)
	raw := parameters(t, "")
	raw["chunksize"] = 64 << 20
	d, err := newDriver(t.Context(), raw, transport)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := d.PutContent(t.Context(), "/a/1", []byte("content")); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
		t.Errorf("%d bytes", took)
	}
}

// TestAnotherSize lets Google say that it has all bytes while it has fewer.
func TestAnotherSize(t *testing.T) {
	g := &google{}
	d := g.open(t, "")
	g.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if !isUpload(http.MethodPut, fmt.Sprintf("bytes %d-", 2*chunk))(r) {
			return false
		}
		w.Header().Set("X-Guploader-Uploadid", "1")
		say(w, http.StatusOK, g.put(&object{Name: "a/1"}, g.sessions["a/1"].file, 2*chunk))
		return true
	}
	if err := upload(t.Context(), d, "/a/1", large); err == nil || !strings.Contains(err.Error(), "they are not there") {
		t.Errorf("%v", err)
	}
}
