package heavy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/fair"
)

var (
	errBusy = errors.New("too many large manifests or lists at once")
	errSlow = fmt.Errorf("the manifest came too slowly: above %d KiB, %d KiB have to come in a second", small>>10, rate>>10)
)

// request is one that may come to hold much, and what its client is told. One goroutine reads for
// it and answers.
type request struct {
	http.ResponseWriter
	client *http.Request
	all    *Places
	// own has the place that is left when there is an answer, since when it has one, and taken is what
	// it has of all answers until its client has taken it.
	own     *fair.Room
	entered bool
	since   time.Time
	taken   int64
	// refused is why it got no place, or lost it.
	refused error
	status  int
	begun   bool
}

// sender is known before a request has anything.
func (q *request) sender() fair.Client { return fair.ClientOf(q.client.Context()) }

// enter takes the place of a request.
func (q *request) enter() error {
	if q.entered || q.refused != nil {
		return q.refused
	}
	waiting, cancel := context.WithTimeoutCause(q.client.Context(), longestWait, errBusy)
	defer cancel()
	if q.refused = q.own.Take(waiting, q.sender(), 1); q.refused == nil {
		q.entered, q.since = true, time.Now()
		bounds.Hurry(q.client, grace)
	}
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
		q.refused = q.all.answers.begin(waiting, q, int64(length))
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
		q.own.Give(q.sender(), 1)
	}
	q.entered = false
}

// end also comes where there is no answer.
func (q *request) end() {
	q.leave()
	q.all.answers.end(q)
}

// Unwrap is for http.ResponseController.
func (q *request) Unwrap() http.ResponseWriter { return q.ResponseWriter }
