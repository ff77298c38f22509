package heavy

import (
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/fair"
)

// reading is a client that takes so many bytes a second, until its connection ends.
type reading struct {
	*httptest.ResponseRecorder
	rate, taken int

	mu       sync.Mutex
	deadline time.Time
}

func readingAt(rate int) *reading {
	return &reading{ResponseRecorder: httptest.NewRecorder(), rate: rate}
}

func (r *reading) SetWriteDeadline(at time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deadline = at
	return nil
}

func (r *reading) late() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.deadline.IsZero() && !time.Now().Before(r.deadline)
}

func (r *reading) Write(p []byte) (int, error) {
	for end := time.Now().Add(time.Duration(len(p)) * time.Second / time.Duration(r.rate)); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if r.late() {
			return 0, os.ErrDeadlineExceeded
		}
	}
	r.taken += len(p)
	return len(p), nil
}

// TestSlowReaders are two clients that have all of the room for answers.
func TestSlowReaders(t *testing.T) {
	const length = 1 << 20
	for _, test := range []struct {
		name string
		// Another request comes after a while.
		rate  int
		after time.Duration
		by    string
		code  int
		ended int
	}{
		{"just begun", 1 << 10, 0, "carol", http.StatusServiceUnavailable, 0},
		{"slow for a little while", 1 << 10, 8 * time.Second, "carol", http.StatusServiceUnavailable, 0},
		{"slow for longer", 1 << 10, 10 * time.Second, "carol", http.StatusOK, 1},
		{"slow, and one of them asks for more", 1 << 10, 10 * time.Second, "alice", http.StatusServiceUnavailable, 0},
		{"fast enough", length / 9, 10 * time.Second, "carol", http.StatusOK, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				places := PlacesOf(10 * 4 * length)
				handler := bounds.New(bounds.Limits{Patience: time.Hour}).Handler(around(places, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					fair.By(r.Context(), r.URL.RawQuery)
					_, _ = w.Write(make([]byte, length))
				})), http.NotFoundHandler())
				ask := func(w http.ResponseWriter, user string) {
					handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, pull+"?"+user, nil))
				}
				var asked sync.WaitGroup
				var slow []*reading
				for _, user := range []string{"alice", "alice", "bob", "bob"} {
					each := readingAt(test.rate)
					slow = append(slow, each)
					asked.Go(func() { ask(each, user) })
				}
				time.Sleep(test.after)
				synctest.Wait()
				another := readingAt(1 << 30)
				if ask(another, test.by); another.Code != test.code {
					t.Errorf("%d", another.Code)
				}
				ended := 0
				asked.Wait()
				for _, each := range slow {
					if each.taken < length {
						ended++
					}
				}
				if ended != test.ended {
					t.Errorf("%d ended", ended)
				}
				if places.answers.Taken() != 0 || len(places.answers.due) != 0 {
					t.Errorf("left: %d bytes, %d answers", places.answers.Taken(), len(places.answers.due))
				}
			})
		})
	}
}
