package heavy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"container-registry/server/internal/fair"
)

const push, pull = "/v2/app/manifests/1", "/v2/app/manifests/1"

// around has requests know their clients.
func around(places *Places, engine http.HandlerFunc) http.Handler {
	return fair.Handler(places.Handler(engine))
}

// TestWaiting has five clients at once, where there are two places of each kind.
func TestWaiting(t *testing.T) {
	large, little := strings.Repeat("x", small+1024), strings.Repeat("x", small)
	for _, test := range []struct {
		name, method, path, content string
		inside                      int64
	}{
		{"large manifests that are pushed", http.MethodPut, push, large, 2},
		{"small ones", http.MethodPut, push, little, 5},
		{"large manifests that are pulled", http.MethodGet, pull, large, 2},
		{"those that are asked about", http.MethodHead, pull, large, 2},
		{"small ones that are pulled", http.MethodGet, pull, little, 5},
		{"manifests that are deleted", http.MethodDelete, pull, large, 2},
		{"lists of tags", http.MethodGet, "/v2/app/tags/list", "", 2},
		{"lists of repositories", http.MethodGet, "/registry/v2/_catalog", "", 2},
		{"lists of referrers", http.MethodGet, "/v2/app/referrers/sha256:0", "", 2},
		{"layers", http.MethodGet, "/v2/app/blobs/sha256:0", large, 5},
		{"uploads", http.MethodPut, "/v2/app/blobs/uploads/1", large, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var inside atomic.Int64
				stay := make(chan struct{})
				handler := around(PlacesOf(0), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					content := Reader(r.Context(), io.NopCloser(strings.NewReader(test.content)))
					if r.Method == http.MethodPut {
						content = r.Body
					}
					_, err := io.Copy(io.Discard, content)
					for range 2 {
						if err == nil && test.content == "" {
							err = Enter(r.Context())
						}
					}
					if err != nil {
						w.Header().Set("Link", "next")
						http.Error(w, "of the engine's", http.StatusBadRequest)
						return
					}
					inside.Add(1)
					<-stay
					w.WriteHeader(http.StatusCreated)
				}))
				answers := make([]*httptest.ResponseRecorder, 6)
				ask := func(i int) {
					answers[i] = httptest.NewRecorder()
					request := httptest.NewRequest(test.method, test.path, strings.NewReader(test.content))
					request.RemoteAddr = fmt.Sprintf("192.0.2.%d:1234", i)
					handler.ServeHTTP(answers[i], request)
				}
				var asked sync.WaitGroup
				for i := range 5 {
					asked.Go(func() { ask(i) })
				}
				synctest.Wait()
				if got := inside.Load(); got != test.inside {
					t.Errorf("%d at once, want %d", got, test.inside)
				}
				time.Sleep(longestWait)
				synctest.Wait()
				close(stay)
				asked.Wait()
				refused := int64(0)
				for _, each := range answers[:5] {
					if each.Code == http.StatusCreated {
						continue
					}
					refused++
					if each.Code != http.StatusServiceUnavailable || each.Header().Get("Retry-After") != "2" || each.Header().Get("Link") != "" || !strings.Contains(each.Body.String(), errBusy.Error()) {
						t.Errorf("%d %v %s", each.Code, each.Header(), each.Body)
					}
				}
				if refused != 5-test.inside {
					t.Errorf("%d were refused", refused)
				}
				if ask(5); answers[5].Code != http.StatusCreated {
					t.Errorf("afterwards: %d", answers[5].Code)
				}
			})
		})
	}
}

// TestClientThatGoes gives up its turn, and what it has.
func TestClientThatGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone, leave := context.WithCancel(t.Context())
		handler := around(PlacesOf(0), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if Enter(r.Context()) == nil && r.URL.RawQuery == "" {
				<-r.Context().Done()
				panic(http.ErrAbortHandler)
			}
		}))
		var asked sync.WaitGroup
		for range 5 {
			asked.Go(func() {
				defer func() { _ = recover() }()
				handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(gone, http.MethodGet, "/v2/app/tags/list", nil))
			})
		}
		synctest.Wait()
		began := time.Now()
		leave()
		asked.Wait()
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v2/app/tags/list?n=1", nil))
		if answer.Code != http.StatusOK || time.Since(began) > 0 {
			t.Errorf("%d after %s", answer.Code, time.Since(began))
		}
	})
}
