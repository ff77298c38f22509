package heavy

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"container-registry/server/internal/bounds"
)

var errBusy = errors.New("too many large manifests or lists at once")

// request is one that may come to hold much, and what its client is told. One goroutine reads for
// it and answers.
type request struct {
	http.ResponseWriter
	client *http.Request
	all    *Places
	// own has the place that is left when there is an answer, and taken is what it has of all
	// answers until its client has taken it.
	own     bounds.Places
	entered bool
	taken   int64
	// refused is why it got no place.
	refused error
	status  int
	begun   bool
}

// enter takes the place of a request.
func (q *request) enter() error {
	if q.entered || q.refused != nil {
		return q.refused
	}
	waiting, cancel := context.WithTimeoutCause(q.client.Context(), longestWait, errBusy)
	defer cancel()
	q.refused = q.own.Take(waiting)
	q.entered = q.refused == nil
	return q.refused
}

func (q *request) WriteHeader(status int) {
	switch {
	case status < http.StatusOK:
		q.ResponseWriter.WriteHeader(status)
	case q.status == 0:
		q.status = status
	}
}

func (q *request) Write(p []byte) (int, error) {
	q.begin(len(p))
	if q.refused != nil {
		return len(p), nil
	}
	return q.ResponseWriter.Write(p)
}

// begin is where an answer is ready. What comes first of one is all of it, or it says how much
// there will be.
func (q *request) begin(length int) {
	if q.begun {
		return
	}
	q.begun = true
	if said, err := strconv.Atoi(q.Header().Get("Content-Length")); err == nil && q.client.Method != http.MethodHead {
		length = said
	}
	if q.refused == nil && length > small {
		waiting, cancel := context.WithTimeoutCause(q.client.Context(), patience, errBusy)
		defer cancel()
		taken := min(int64(length), q.all.mostOfAnswers)
		if q.all.answers.Acquire(waiting, taken) == nil {
			q.taken = taken
		} else {
			q.refused = context.Cause(waiting)
		}
	}
	q.leave()
	switch {
	case q.refused != nil:
		for _, name := range []string{"Content-Length", "Docker-Content-Digest", "Etag", "Link"} {
			q.Header().Del(name)
		}
		bounds.Unavailable(q.ResponseWriter, q.refused.Error(), patience)
	case q.status != 0:
		q.ResponseWriter.WriteHeader(q.status)
	}
}

func (q *request) leave() {
	if q.entered {
		q.own.Leave()
	}
	q.entered = false
}

// end also comes where there is no answer.
func (q *request) end() {
	q.leave()
	q.all.answers.Release(q.taken)
}

// Unwrap is for http.ResponseController.
func (q *request) Unwrap() http.ResponseWriter { return q.ResponseWriter }
