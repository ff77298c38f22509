// Package heavy has requests that hold much in memory wait for one another: large manifests, from
// or for the store, and lists. What they hold is made by the engine as a whole, and then waits for
// the client to take it.
package heavy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"container-registry/server/internal/fair"
)

const (
	// small is how long a manifest, or an answer, is that waits for nobody.
	small = 64 << 10
	// longestWait is for a place. Who waits holds nothing.
	longestWait = time.Minute
	// patience is how long an answer that is ready waits for clients that take theirs slowly.
	patience = 2 * time.Second
	// grace is what a client may lose in all while a place is kept for what it sends, or others wait for
	// what it takes, and rate how many bytes have to move in each other second.
	grace = 5 * time.Second
	rate  = 256 << 10
)

// allowed is how long a client may take for so many bytes.
func allowed(bytes int64) time.Duration { return grace + time.Duration(bytes)*time.Second/rate }

// Places are for the requests of one server.
type Places struct {
	// tags are lists of them, which the engine makes in full to answer with a page; other lists
	// are pages from the beginning.
	lists, tags, pulls, pushes, deletions *fair.Room
	answers                               *answers
}

// PlacesOf suits a server with this much memory. The largest manifest takes 20 MiB of it as it is
// pulled and 30 as it is pushed, a list of thirty thousand long tags 20, another list 4 at most: the
// folders that referrers are in are listed in turn. To delete a manifest takes its text and a list of
// tags; most have little of both, and wait for one another. A client leaves one place of each kind to
// others, and half of the room for answers.
func PlacesOf(memory int64) *Places {
	share := memory / 10
	of := func(cost int64) *fair.Room {
		places := max(2, share/(cost<<20))
		return fair.NewRoom(places, places-1)
	}
	return &Places{
		lists: of(4), tags: of(20), pulls: of(20), pushes: of(30), deletions: of(10),
		answers: newAnswers(share, share/2),
	}
}

// of are those for a request, nil for most.
func (p *Places) of(r *http.Request) *fair.Room {
	pulls := r.Method == http.MethodGet || r.Method == http.MethodHead
	switch kind := path.Base(path.Dir(r.URL.Path)); {
	case kind == "manifests" && r.Method == http.MethodPut:
		return p.pushes
	case kind == "manifests" && r.Method == http.MethodDelete:
		return p.deletions
	case !pulls:
		return nil
	case kind == "manifests":
		return p.pulls
	case strings.HasSuffix(r.URL.Path, "/tags/list"):
		return p.tags
	case kind == "referrers", strings.HasSuffix(r.URL.Path, "/v2/_catalog"):
		return p.lists
	}
	return nil
}

// Handler goes around all that answers such requests, and Enter and Reader have them wait where it
// is known that their clients may have what they ask for.
func (p *Places) Handler(engine http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		places := p.of(r)
		if places == nil {
			engine.ServeHTTP(w, r)
			return
		}
		q := &request{ResponseWriter: w, client: r, own: places, all: p}
		defer q.end()
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, q))
		if r.Method == http.MethodPut {
			r.Body = &body{reader{ReadCloser: r.Body, request: q}}
		}
		engine.ServeHTTP(q, r)
		q.begin(0)
	})
}

type requestKey struct{}

// asking is nil for a push, which waits for what its client sends, and for what holds little.
func asking(ctx context.Context) *request {
	if q, ok := ctx.Value(requestKey{}).(*request); ok && q.client.Method != http.MethodPut {
		return q
	}
	return nil
}

// Enter has a request wait before it holds much. It has one place, however often it asks.
func Enter(ctx context.Context) error {
	if q := asking(ctx); q != nil {
		return q.enter()
	}
	return nil
}

// Reader has a request wait when it has read as much as is small.
func Reader(ctx context.Context, content io.ReadCloser) io.ReadCloser {
	if q := asking(ctx); q != nil {
		return &reader{ReadCloser: content, request: q}
	}
	return content
}

type reader struct {
	io.ReadCloser
	request *request
	read    int
}

func (r *reader) Read(p []byte) (int, error) {
	if r.read > small {
		if err := r.request.enter(); err != nil {
			return 0, err
		}
	}
	n, err := r.ReadCloser.Read(p)
	r.read += n
	return n, err
}

// body is a manifest on its way from a client, which is not to keep a place by sending it slowly.
type body struct{ reader }

func (b *body) Read(p []byte) (int, error) {
	n, err := b.reader.Read(p)
	q := b.request
	if !q.entered || errors.Is(err, io.EOF) {
		return n, err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || time.Since(q.since) > allowed(int64(b.read)) {
		q.refused = errSlow
		return n, errSlow
	}
	return n, err
}
