package fence

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// quick has short times, but long enough that a busy machine does not look like a dead server.
var quick = Timing{
	Beat: 30 * time.Millisecond, Expiry: 3 * time.Second, Fresh: 5 * time.Millisecond,
	Settle: 5 * time.Millisecond, Patience: 100 * time.Millisecond, Remember: time.Hour,
}

// killed ends a holder the way SIGKILL does: nothing is renewed, nothing cleaned up.
func killed(h *Hold) {
	h.cancel(nil)
	<-h.ended
}

// server is a fence around an engine that accepts everything that has a body.
type server struct {
	fence   *Fence
	handler http.Handler
	url     string
	// puts counts the pushes that reached the engine. onPut is called while the engine works.
	puts  atomic.Int64
	onPut func()
}

func serve(t *testing.T, driver storagedriver.StorageDriver, name string) *server {
	t.Helper()
	s := &server{fence: New(driver, name, quick, NoCache{}), onPut: func() {}}
	engine := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			if content, err := io.ReadAll(r.Body); err != nil || len(content) == 0 {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			s.puts.Add(1)
			s.onPut()
			w.WriteHeader(http.StatusCreated)
		}
	})
	s.handler = s.fence.Handler(engine, "")
	listening := httptest.NewServer(s.handler)
	t.Cleanup(listening.Close)
	s.url = listening.URL
	return s
}

func (s *server) send(t *testing.T, method, path string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response
}

func (s *server) acquire(t *testing.T) *Hold {
	t.Helper()
	h, _, err := s.fence.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const (
	manifestPath = "/v2/team/app/manifests/1.0"
	config       = "sha256:0000000000000000000000000000000000000000000000000000000000000001"
	content      = `{"schemaVersion":2,"config":{"digest":"` + config + `"}}`
)
