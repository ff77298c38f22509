package page

import (
	"container/list"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// longestForm is the body of a form: a hundred tags and their digests.
	longestForm = 64 << 10
	// formPatience is how long a browser may pause while it sends one.
	formPatience = 5 * time.Second
	// MostForms is the number of forms that are read at once. Clients that are not logged in can send some too,
	// and must not take up the requests of all others.
	MostForms = 256
)

// forms are those that are being read. If there is one too many, the oldest is dropped: browsers send theirs
// without a pause.
type forms struct {
	mu      sync.Mutex
	reading list.List // of *form, the one that began first in front
}

// form is the body of a request.
type form struct {
	io.ReadCloser
	control *http.ResponseController
	dropped atomic.Bool
}

func (f *form) Read(p []byte) (int, error) {
	if f.dropped.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	return f.ReadCloser.Read(p)
}

// drop ends the wait for the client. A read that is just about to begin ends with the next byte, or after
// formPatience.
func (f *form) drop() {
	f.dropped.Store(true)
	_ = f.control.SetReadDeadline(time.Now())
}

func (f *forms) begin(w http.ResponseWriter, r *http.Request) (begun *form, end func()) {
	begun = &form{ReadCloser: r.Body, control: http.NewResponseController(w)}
	r.Body = begun
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.reading.Len() >= MostForms {
		f.reading.Remove(f.reading.Front()).(*form).drop()
	}
	place := f.reading.PushBack(begun)
	return begun, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		// This does nothing if the form was dropped.
		f.reading.Remove(place)
	}
}

// withForms reads the form of a request before anything else is done with the request.
func (p *Page) withForms(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		form, end := p.forms.begin(w, r)
		err := r.ParseForm()
		end()
		switch {
		case err == nil:
			next.ServeHTTP(w, r)
		case form.dropped.Load():
			w.Header().Set("Retry-After", "5")
			p.showProblem(w, r, nil, http.StatusServiceUnavailable, "Too many forms are sent at once. Try again in a moment.")
		default:
			p.showProblem(w, r, nil, http.StatusBadRequest, "The form could not be read.")
		}
	})
}
