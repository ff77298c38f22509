// Package guard goes around the engine and its storage driver, for what is the same with
// every store: what is there and what is not, how much uploads may hold in memory, and
// what clients are told when the store can't be used.
package guard

import (
	"context"
	"net/http"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	storagemiddleware "github.com/distribution/distribution/v3/registry/storage/driver/middleware"

	"container-registry/image/internal/bounds"
)

const name = "guard"

func init() {
	err := storagemiddleware.Register(name, func(_ context.Context, driver storagedriver.StorageDriver, options map[string]any) (storagedriver.StorageDriver, error) {
		return exact{bounded{driver, options[name].(*Guard)}}, nil
	})
	if err != nil {
		panic(err)
	}
}

// Guard is the one of a server.
type Guard struct {
	places *places
}

// New is for a server with this much memory.
func New(config *configuration.Configuration, memory int64) *Guard {
	return &Guard{places: placesOf(config.Storage, memory)}
}

// Place tells the engine to put the guard around its driver.
func (g *Guard) Place(config *configuration.Configuration) {
	config.Middleware = map[string][]configuration.Middleware{
		"storage": {{Name: name, Options: configuration.Parameters{name: g}}},
	}
}

// Handler goes around the engine.
func (g *Guard) Handler(engine http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mine := &request{short: r.ContentLength == 0}
		// The engine does not close what it can't save.
		defer mine.end()
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, mine))
		engine.ServeHTTP(&teller{ResponseWriter: w, request: mine}, r)
	})
}

// teller says when to come back, instead of the error the engine made of the reason.
type teller struct {
	http.ResponseWriter
	request *request
	told    bool
}

func (t *teller) WriteHeader(status int) {
	refusal := t.request.refusal()
	if status < http.StatusBadRequest || refusal == nil {
		t.ResponseWriter.WriteHeader(status)
		return
	}
	t.told = true
	// What the engine knew before.
	for _, name := range []string{"Content-Length", "Docker-Content-Digest", "Etag"} {
		t.Header().Del(name)
	}
	bounds.Unavailable(t.ResponseWriter, refusal.Error(), retryAfter)
}

const retryAfter = 10 * time.Second

func (t *teller) Write(p []byte) (int, error) {
	if t.told {
		return len(p), nil
	}
	return t.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (t *teller) Unwrap() http.ResponseWriter { return t.ResponseWriter }
