package swift

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// TestNoAnswer lets a gateway in front of Swift answer with a page, once and permanently.
func TestNoAnswer(t *testing.T) {
	proxy := newFaultyProxy(t)
	d := quick(open(t, proxy.through(t, newContainer(t))))
	ctx := context.Background()
	if err := d.PutContent(ctx, "/a/1", []byte("content")); err != nil {
		t.Fatal(err)
	}
	actions := map[string]func() error{
		"list":          func() error { _, err := d.List(ctx, "/a"); return err },
		"stat a file":   func() error { _, err := d.Stat(ctx, "/a/1"); return err },
		"stat a folder": func() error { _, err := d.Stat(ctx, "/a"); return err },
		"read":          func() error { _, err := d.GetContent(ctx, "/a/1"); return err },
		"write":         func() error { return d.PutContent(ctx, "/a/1", []byte("content")) },
		"walk": func() error {
			return d.Walk(ctx, "/a", func(storagedriver.FileInfo) error { return nil })
		},
	}
	pages := map[string]func(w http.ResponseWriter){
		"html":  func(w http.ResponseWriter) { fmt.Fprint(w, "<html><body>maintenance</body></html>") },
		"list":  func(w http.ResponseWriter) { fmt.Fprint(w, "[]") },
		"empty": func(w http.ResponseWriter) { w.Header().Set("Content-Length", "0") },
	}
	for _, status := range []int{301, 304, 400, 403, 404, 405, 407, 408, 409, 410, 412, 413, 416, 421, 422, 451, 501, 505} {
		pages[fmt.Sprint(status)] = func(w http.ResponseWriter) { w.WriteHeader(status) }
	}
	for name, act := range actions {
		for kind, page := range pages {
			var shown, most atomic.Int32
			show := func(atMost int32) {
				shown.Store(0)
				most.Store(atMost)
			}
			proxy.set(func(w http.ResponseWriter, r *http.Request) bool {
				if strings.HasPrefix(r.URL.Path, "/auth/") || shown.Add(1) > most.Load() {
					return false
				}
				page(w)
				return true
			})
			show(1)
			if err := act(); err != nil || shown.Load() < 2 {
				t.Errorf("%s, %s: it is not asked again: %v", name, kind, err)
			}
			show(1000)
			if err := act(); err == nil || !strings.Contains(err.Error(), "no answer of Swift") {
				t.Errorf("%s, %s: that is taken for an answer: %v", name, kind, err)
			}
		}
	}
}
