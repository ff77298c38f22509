package page

import (
	"net/http"
	"time"
)

const (
	// longestForm is the body of a form: a hundred tags and their digests.
	longestForm = 64 << 10
	// formPatience is how long a browser may pause while it sends one.
	formPatience = 5 * time.Second
	// MostForms is how many are read at once. Who is not logged in sends some, too, and is not
	// to take the requests of all others.
	MostForms = 256
)

// withForms has the form of a request read before anything else is done with it.
func (p *Page) withForms(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		select {
		case p.reading <- struct{}{}:
		default:
			w.Header().Set("Retry-After", "5")
			p.showProblem(w, r, nil, http.StatusServiceUnavailable, "Too many forms are sent at once. Try again in a moment.")
			return
		}
		err := r.ParseForm()
		<-p.reading
		if err != nil {
			p.showProblem(w, r, nil, http.StatusBadRequest, "The form could not be read.")
			return
		}
		next.ServeHTTP(w, r)
	})
}
