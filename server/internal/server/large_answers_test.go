package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"testing"

	"container-registry/server/internal/registrytest"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// deaf is a client that reads errors, but nothing of what it has asked for.
type deaf struct {
	*httptest.ResponseRecorder
	told func()
	stay chan struct{}
}

func (d deaf) Write(p []byte) (int, error) {
	if d.Code == http.StatusOK {
		d.told()
		<-d.stay
	}
	return d.ResponseRecorder.Write(p)
}

// Flush does nothing.
func (d deaf) Flush() {}

// TestLargeAnswersThatNobodyTakes expects large responses to take no more than their share of memory, whatever
// made them.
func TestLargeAnswersThatNobodyTakes(t *testing.T) {
	folder := t.TempDir()
	repositories := filepath.Join(folder, "docker/registry/v2/repositories")
	long := strings.Repeat("a", 100)
	for n := range 2000 {
		tag := filepath.Join(repositories, "app/_manifests/tags", fmt.Sprintf("%s%04d", long, n), "current")
		repository := filepath.Join(repositories, long, long, fmt.Sprintf("%04d", n%1000), "_manifests/tags/1/current")
		for _, each := range []string{tag, repository} {
			if err := os.MkdirAll(each, 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	const memory = 8 << 20
	unbounded := debug.SetMemoryLimit(memory)
	users := htpasswd(t, "alice", "wonder")
	bob, err := os.ReadFile(htpasswd(t, "bob", "wonder"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := os.OpenFile(users, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Close()
	if _, err := all.Write(bob); err != nil {
		t.Fatal(err)
	}
	yaml := "storage: {filesystem: {rootdirectory: " + folder + "}}\nauth: {htpasswd: {realm: registry, path: " + users + "}}\n"
	i := start(t, registrytest.Parse(t, yaml), &http.Client{})
	debug.SetMemoryLimit(unbounded)
	handler := i.server.http.Handler
	askAs := func(user string, w http.ResponseWriter, method, path, content string) {
		request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(content))
		request.SetBasicAuth(user, "wonder")
		request.Header.Set("Content-Type", v1.MediaTypeImageIndex)
		handler.ServeHTTP(w, request)
	}
	ask := func(w http.ResponseWriter, method, path, content string) {
		askAs("alice", w, method, path, content)
	}
	subject := digest.FromString("a subject")
	for name, content := range map[string]string{
		"small": `{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageIndex + `","manifests":[]}`,
		"large": `{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageIndex + `","manifests":[],"subject":{"mediaType":"` + v1.MediaTypeImageIndex + `","size":1,"digest":"` + subject.String() + `"},"annotations":{"a":"` + strings.Repeat("x", 200<<10) + `"}}`,
	} {
		w := httptest.NewRecorder()
		if ask(w, http.MethodPut, "/v2/app/manifests/"+name, content); w.Code != http.StatusCreated {
			t.Fatal(w.Code, w.Body)
		}
	}
	for _, path := range []string{"/v2/app/manifests/large", "/v2/app/tags/list", "/v2/_catalog?n=1000", "/v2/app/referrers/" + subject.String()} {
		t.Run(path, func(t *testing.T) {
			stay, settled := make(chan struct{}), make(chan struct{})
			var all [5]deaf
			var served sync.WaitGroup
			for n := range all {
				told := sync.OnceFunc(func() { settled <- struct{}{} })
				all[n] = deaf{httptest.NewRecorder(), told, stay}
				served.Go(func() {
					ask(all[n], http.MethodGet, path, "")
					told()
				})
			}
			for range all {
				<-settled
			}
			w := httptest.NewRecorder()
			if ask(w, http.MethodGet, "/v2/app/manifests/small", ""); w.Code != http.StatusOK {
				t.Errorf("a small manifest: %d", w.Code)
			}
			w = httptest.NewRecorder()
			if askAs("bob", w, http.MethodGet, path, ""); w.Code != http.StatusOK {
				t.Errorf("another user at the same address: %d", w.Code)
			}
			close(stay)
			served.Wait()
			holding := 0
			for _, each := range all {
				switch {
				case each.Code == http.StatusOK:
					holding += each.Body.Len()
				case each.Code != http.StatusServiceUnavailable || each.Header().Get("Retry-After") != "2":
					t.Errorf("%d %v", each.Code, each.Header())
				}
			}
			if holding == 0 || holding > memory/10 {
				t.Errorf("%d KiB are held", holding>>10)
			}
		})
	}
}
