package heavy

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/fair"
)

// TestClientsOfTheirOwn has a client hold all that it can of each kind, while another one asks once.
func TestClientsOfTheirOwn(t *testing.T) {
	for _, test := range []struct{ name, method, path string }{
		{"manifests that are pushed", http.MethodPut, push},
		{"manifests that are pulled", http.MethodGet, pull},
		{"manifests that are deleted", http.MethodDelete, pull},
		{"lists of tags", http.MethodGet, "/v2/app/tags/list"},
		{"lists of repositories", http.MethodGet, "/v2/_catalog"},
	} {
		for _, names := range [][]string{{"bob", "alice"}, {"", "alice"}, {"", ""}} {
			t.Run(fmt.Sprintf("%s by %q", test.name, names), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					stay := make(chan struct{})
					handler := around(PlacesOf(0), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
						fair.By(r.Context(), r.URL.RawQuery)
						_, err := io.Copy(io.Discard, r.Body)
						if err == nil {
							err = Enter(r.Context())
						}
						if err == nil && strings.HasPrefix(r.RemoteAddr, "192.0.2.1:") {
							<-stay
						}
					}))
					ask := func(address, user string) int {
						answer, request := httptest.NewRecorder(), httptest.NewRequest(test.method, test.path, strings.NewReader(strings.Repeat("x", small+1024)))
						request.RemoteAddr, request.URL.RawQuery = address, user
						handler.ServeHTTP(answer, request)
						return answer.Code
					}
					var asked sync.WaitGroup
					for range 20 {
						asked.Go(func() { ask("192.0.2.1:1", names[0]) })
					}
					synctest.Wait()
					began := time.Now()
					if code := ask("192.0.2.2:1", names[1]); code != http.StatusOK || time.Since(began) > 0 {
						t.Errorf("%d after %s", code, time.Since(began))
					}
					close(stay)
					asked.Wait()
				})
			})
		}
	}
}

// deaf is a client that takes nothing of what it has asked for.
type deaf struct {
	*httptest.ResponseRecorder
	stay chan struct{}
}

func (d deaf) Write(p []byte) (int, error) {
	if d.Code == http.StatusOK {
		<-d.stay
	}
	return d.ResponseRecorder.Write(p)
}

// TestDeafClient has half of the room for answers, and others take theirs meanwhile.
func TestDeafClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const length = 1 << 20
		stay := make(chan struct{})
		places := PlacesOf(10 * 8 * length)
		handler := around(places, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fair.By(r.Context(), r.URL.RawQuery)
			if Enter(r.Context()) == nil {
				_, _ = w.Write(make([]byte, length))
			}
		}))
		ask := func(w http.ResponseWriter, user string) {
			handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, pull+"?"+user, nil))
		}
		var asked sync.WaitGroup
		var answers []deaf
		for range 20 {
			each := deaf{httptest.NewRecorder(), stay}
			answers = append(answers, each)
			asked.Go(func() { ask(each, "bob") })
		}
		time.Sleep(2 * longestWait)
		synctest.Wait()
		refused := func(d deaf) bool { return d.Code == http.StatusServiceUnavailable }
		if held := len(slices.DeleteFunc(slices.Clone(answers), refused)); held != 4 {
			t.Errorf("%d answers are held", held)
		}
		for range 20 {
			asked.Go(func() { ask(deaf{httptest.NewRecorder(), stay}, "bob") })
		}
		synctest.Wait()
		began := time.Now()
		answer := httptest.NewRecorder()
		if ask(answer, "alice"); answer.Code != http.StatusOK || time.Since(began) > 0 {
			t.Errorf("%d after %s", answer.Code, time.Since(began))
		}
		close(stay)
		asked.Wait()
		if places.answers.Taken() != 0 {
			t.Errorf("%d bytes are left", places.answers.Taken())
		}
	})
}

// line is a client's connection: it ends what waits for more than the deadline.
type line struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (l *line) SetReadDeadline(at time.Time) error { l.deadline = at; return nil }

// slow sends a manifest in pieces, and then nothing more.
type slow struct {
	*line
	pieces, length int
	every          time.Duration
}

func (s *slow) Close() error { return nil }

func (s *slow) Read(p []byte) (int, error) {
	if s.pieces == 0 {
		time.Sleep(time.Until(s.deadline))
		return 0, os.ErrDeadlineExceeded
	}
	s.pieces--
	time.Sleep(s.every)
	return min(len(p), s.length), nil
}

// TestSlowPush loses its place, so that others find one.
func TestSlowPush(t *testing.T) {
	for _, test := range []struct {
		name           string
		pieces, length int
		every, longest time.Duration
	}{
		{"a client that stops", 1 + small/1000, 1000, 0, grace},
		{"one that sends a byte now and then", 1 << 20, 1000, time.Second, 7 * time.Second},
		{"one that is a little too slow", 1 << 20, rate / 8, time.Second / 4, 11 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				places := PlacesOf(0)
				entered := make(chan time.Time, 1)
				handler := bounds.New(bounds.Limits{Patience: time.Minute, Rest: time.Second}).Handler(around(places, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					held := r.Body.(*body).request
					buffer := make([]byte, 32<<10)
					for {
						if _, err := r.Body.Read(buffer); err != nil {
							entered <- held.since
							http.Error(w, "of the engine's", http.StatusBadRequest)
							return
						}
					}
				})), http.NotFoundHandler())
				connection := &line{ResponseRecorder: httptest.NewRecorder()}
				request := httptest.NewRequest(http.MethodPut, push, &slow{connection, test.pieces, test.length, test.every})
				handler.ServeHTTP(connection, request)
				if held := time.Since(<-entered); held > test.longest {
					t.Errorf("a place was held for %s", held)
				}
				if connection.Code != http.StatusServiceUnavailable || !strings.Contains(connection.Body.String(), errSlow.Error()) {
					t.Errorf("%d %s", connection.Code, connection.Body)
				}
				if places.pushes.Taken() != 0 {
					t.Error("the place is still held")
				}
			})
		})
	}
}

// TestPushAtItsPace is one that is neither fast nor too slow.
func TestPushAtItsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := around(PlacesOf(0), http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				t.Error(err)
			}
		}))
		manifest := &slow{&line{}, 16, rate / 4, time.Second / 4}
		request := httptest.NewRequest(http.MethodPut, push, nil)
		request.Body = ending{manifest}
		answer := httptest.NewRecorder()
		if handler.ServeHTTP(answer, request); answer.Code != http.StatusOK {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	})
}

// ending is a manifest that comes to an end.
type ending struct{ *slow }

func (e ending) Read(p []byte) (int, error) {
	if e.pieces == 0 {
		return 0, io.EOF
	}
	return e.slow.Read(p)
}
