package guard

import (
	"context"
	"sync"
)

type requestKey struct{}

// request is what the guard knows of a request to the engine.
type request struct {
	// short is one without a body.
	short bool

	mu      sync.Mutex
	refused error
	// denied is why something was not written, if the request fails.
	denied error
	// silent says that the store gave no answer.
	silent bool
	lost   loss
	// overtaken says that a later request has its upload, or ended it.
	overtaken bool
	places    []func()
}

// loss is a file that the store did not give, or not all of it.
type loss struct {
	path string
	err  error
}

// requestOf is one of nobody when the engine acts by itself.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// Refuse is for what else a request to the engine fails without: its client is told why, and when
// to come back.
func Refuse(ctx context.Context, reason error) { requestOf(ctx).refuse(reason) }

// refuse is for what is no fault of the client's.
func (r *request) refuse(reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused = reason
}

func (r *request) refusal() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refused
}

// deny is for what was not written, if the request fails for it: to one that reads it does not matter.
func (r *request) deny(reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.denied = reason
}

func (r *request) denial() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.denied
}

// silence is for a store that gave no answer in time.
func (r *request) silence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.silent = true
}

func (r *request) silenced() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.silent
}

// overtake is for a request whose upload is another one's. The engine may not tell that to its client.
func (r *request) overtake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.overtaken = true
}

func (r *request) isOvertaken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.overtaken
}

// lose notes what the engine keeps to itself once it has promised the content.
func (r *request) lose(path string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lost = loss{path, err}
}

func (r *request) loss() loss {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

// add is for what to do when the request ends.
func (r *request) add(leave func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.places = append(r.places, leave)
}

func (r *request) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, leave := range r.places {
		leave()
	}
}
