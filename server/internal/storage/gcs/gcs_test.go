package gcs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// large is sent in three chunks, no two of which are the same.
var large = func() []byte {
	content := make([]byte, 2*chunk+100)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content)
	return content
}()

func upload(ctx context.Context, d storagedriver.StorageDriver, path string, content []byte) error {
	w, err := d.Writer(ctx, path, false)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	return w.Commit(ctx)
}

// actions are all that a registry does, each with the request that gets something other than an answer of Google.
var actions = map[string]struct {
	asks func(*http.Request) bool
	do   func(context.Context, storagedriver.StorageDriver) error
}{
	"list": {isList, func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.List(ctx, "/a")
		return err
	}},
	"walk":        {isList, walk},
	"look at one": {isObject(http.MethodGet), walk},
	"stat": {isObject(http.MethodGet), func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.Stat(ctx, "/a/1")
		return err
	}},
	"stat a folder": {isList, func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.Stat(ctx, "/a")
		return err
	}},
	"get": {isRead, func(ctx context.Context, d storagedriver.StorageDriver) error {
		_, err := d.GetContent(ctx, "/a/1")
		return err
	}},
	"read": {isRead, func(ctx context.Context, d storagedriver.StorageDriver) error {
		r, err := d.Reader(ctx, "/a/1", 0)
		if err == nil {
			r.Close()
		}
		return err
	}},
	"write": {isUpload(http.MethodPost, ""), func(ctx context.Context, d storagedriver.StorageDriver) error {
		return d.PutContent(ctx, "/a/2", []byte("content"))
	}},
	"copy": {isObject(http.MethodPost), func(ctx context.Context, d storagedriver.StorageDriver) error {
		return d.Move(ctx, "/a/1", "/a/2")
	}},
	"delete":          {isObject(http.MethodDelete), func(ctx context.Context, d storagedriver.StorageDriver) error { return d.Delete(ctx, "/a/1") }},
	"begin to upload": {isUpload(http.MethodPost, ""), uploadLarge},
	"upload a part":   {isUpload(http.MethodPut, "bytes 0-"), uploadLarge},
	"upload the last": {isUpload(http.MethodPut, fmt.Sprintf("bytes %d-", 2*chunk)), uploadLarge},
	"look at it":      {isObject(http.MethodGet), uploadLarge},
}

func isList(r *http.Request) bool { return r.URL.Query().Has("prefix") }

func isRead(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/images/") }

func isObject(method string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return r.Method == method && strings.HasPrefix(r.URL.Path, "/storage/v1/b/images/o/")
	}
}

func isUpload(method, contentRange string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return r.Method == method && strings.HasPrefix(r.URL.Path, "/upload") && strings.HasPrefix(r.Header.Get("Content-Range"), contentRange)
	}
}

func walk(ctx context.Context, d storagedriver.StorageDriver) error {
	return d.Walk(ctx, "/a", func(storagedriver.FileInfo) error { return nil })
}

func uploadLarge(ctx context.Context, d storagedriver.StorageDriver) error {
	return upload(ctx, d, "/a/3", large)
}

// TestNoAnswer lets something in front of Google answer, and Google refuse. None of this may count as a success, or
// as the report that something is missing.
func TestNoAnswer(t *testing.T) {
	type answer struct {
		status int
		page   bool
	}
	for name, action := range actions {
		for _, bad := range []answer{{http.StatusOK, true}, {http.StatusNotFound, true}, {http.StatusForbidden, true}, {http.StatusForbidden, false}, {http.StatusUnauthorized, false}} {
			t.Run(fmt.Sprint(name, ", ", bad), func(t *testing.T) {
				g := &google{}
				d := g.open(t, "")
				if err := d.PutContent(t.Context(), "/a/1", []byte("content")); err != nil {
					t.Fatal(err)
				}
				var asked atomic.Int32
				g.instead = func(w http.ResponseWriter, r *http.Request) bool {
					if !action.asks(r) {
						return false
					}
					asked.Add(1)
					_, _ = io.Copy(io.Discard, r.Body)
					if bad.page {
						w.Header().Set("Content-Type", "text/html")
						w.WriteHeader(bad.status)
						fmt.Fprint(w, "<html>maintenance</html>")
					} else {
						w.Header().Set("X-Guploader-Uploadid", "1")
						refuse(w, bad.status, "no")
					}
					return true
				}
				err := action.do(t.Context(), d)
				if err == nil || layout.IsMissing(err) || asked.Load() == 0 {
					t.Errorf("%d requests: %v", asked.Load(), err)
				}
				if bad.page && !strings.Contains(fmt.Sprint(err), "no answer of Google Cloud Storage: ") {
					t.Errorf("it is not told: %v", err)
				}
				g.instead = nil
				if err := action.do(t.Context(), d); err != nil {
					t.Errorf("without that: %v", err)
				}
			})
		}
	}
}

// TestMissing has Google itself answer that something is missing.
func TestMissing(t *testing.T) {
	g := &google{}
	d := g.open(t, "")
	ask := map[string]func() error{
		"stat":   func() error { _, err := d.Stat(t.Context(), "/a/1"); return err },
		"get":    func() error { _, err := d.GetContent(t.Context(), "/a/1"); return err },
		"read":   func() error { _, err := d.Reader(t.Context(), "/a/1", 0); return err },
		"list":   func() error { _, err := d.List(t.Context(), "/a"); return err },
		"append": func() error { _, err := d.Writer(t.Context(), "/a/1", true); return err },
		"move":   func() error { return d.Move(t.Context(), "/a/1", "/a/2") },
		"delete": func() error { return d.Delete(t.Context(), "/a/1") },
	}
	for name, each := range ask {
		if err := each(); !layout.IsMissing(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	g.instead = func(w http.ResponseWriter, r *http.Request) bool {
		if isToken(r) {
			return false
		}
		w.Header().Set("X-Guploader-Uploadid", "1")
		refuse(w, http.StatusNotFound, "The specified bucket does not exist.")
		return true
	}
	for name, each := range ask {
		if err := each(); err == nil || layout.IsMissing(err) || !strings.Contains(err.Error(), "storage: bucket doesn't exist") {
			t.Errorf("%s without a bucket: %v", name, err)
		}
	}
}

// TestFolders has names with characters that have a meaning in a URL.
func TestFolders(t *testing.T) {
	for _, folder := range []string{"", "plain/folder", "a+b", "a&name=x", "a b/c", "100%", "%41", "ü", "a#b?c", "a=b;c"} {
		g := &google{}
		d := g.open(t, folder)
		if err := upload(t.Context(), d, "/a/1", large); err != nil {
			t.Errorf("%q: %v", folder, err)
			continue
		}
		got, err := d.GetContent(t.Context(), "/a/1")
		if err != nil || !bytes.Equal(got, large) || g.objects[strings.TrimPrefix(folder+"/a/1", "/")] == nil {
			t.Errorf("%q: %d bytes: %v", folder, len(got), err)
		}
		info, err := d.Stat(t.Context(), "/a")
		if err != nil || !info.IsDir() {
			t.Errorf("%q: no folder: %v", folder, err)
		}
		if names, err := d.List(t.Context(), "/a"); err != nil || len(names) != 1 || names[0] != "/a/1" {
			t.Errorf("%q: %q: %v", folder, names, err)
		}
	}
}

// TestResumed uploads in two requests. In between, the session's object stands for the upload.
func TestResumed(t *testing.T) {
	g := &google{}
	d := g.open(t, "a+b")
	w, err := d.Writer(t.Context(), "/a/1", false)
	if err == nil {
		_, err = w.Write(large[:chunk+50])
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Stat(t.Context(), "/a/1"); !layout.IsMissing(err) {
		t.Errorf("it is not at its end: %v", err)
	}
	w, err = d.Writer(t.Context(), "/a/1", true)
	if err == nil {
		_, err = w.Write(large[chunk+50:])
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := d.GetContent(t.Context(), "/a/1"); err != nil || !bytes.Equal(got, large) {
		t.Errorf("%d bytes: %v", len(got), err)
	}
}

// TestSessions tries Google's answers to chunks. A case names its chunk by the beginning of the Content-Range.
func TestSessions(t *testing.T) {
	last := fmt.Sprintf("bytes %d-", 2*chunk)
	for name, test := range map[string]struct {
		chunk  string
		answer func(http.ResponseWriter)
		want   string
	}{
		"too old":      {"bytes 0-", func(w http.ResponseWriter) { refuse(w, http.StatusNotFound, "no") }, "the session of an upload has ended: 404"},
		"gone":         {last, func(w http.ResponseWriter) { refuse(w, http.StatusGone, "no") }, "the session of an upload has ended: 410"},
		"lacks some":   {last, func(w http.ResponseWriter) { w.WriteHeader(http.StatusPermanentRedirect) }, "the session of an upload has ended: 308"},
		"says it only": {last, func(w http.ResponseWriter) { say(w, http.StatusOK, map[string]any{}) }, "they are not there"},
		"busy once":    {"bytes 0-", func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := &google{}
			d := g.open(t, "")
			var asked atomic.Int32
			g.instead = func(w http.ResponseWriter, r *http.Request) bool {
				if !isUpload(http.MethodPut, test.chunk)(r) || asked.Add(1) > 1 {
					return false
				}
				_, _ = io.Copy(io.Discard, r.Body)
				w.Header().Set("X-Guploader-Uploadid", "1")
				test.answer(w)
				return true
			}
			err := upload(t.Context(), d, "/a/1", large)
			if (err == nil) != (test.want == "") || test.want != "" && !strings.Contains(fmt.Sprint(err), test.want) {
				t.Errorf("%v", err)
			}
			if got, err := d.GetContent(t.Context(), "/a/1"); test.want == "" && (err != nil || !bytes.Equal(got, large)) {
				t.Errorf("%d bytes: %v", len(got), err)
			}
		})
	}
}
