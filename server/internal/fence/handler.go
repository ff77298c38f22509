package fence

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/layout"
)

// errPaused is for a write that waited long enough.
var errPaused = errors.New("a garbage collection pauses all writes; try again")

// errUnsure is for the rare push of which a collection that has just begun may have
// deleted something, when the tag was written already.
var errUnsure = errors.New("it cannot be told whether the push has succeeded; push again")

// Handler goes around the engine. http.prefix is the prefix.
func (f *Fence) Handler(engine http.Handler, prefix string) http.Handler {
	return &handler{fence: f, engine: engine, router: v2.RouterWithPrefix(prefix)}
}

type handler struct {
	fence  *Fence
	engine http.Handler
	router *mux.Router
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var match mux.RouteMatch
	if !h.router.Match(r, &match) || match.Route == nil {
		h.engine.ServeHTTP(w, r)
		return
	}
	repository, route := match.Vars["name"], match.Route.GetName()
	d := digest.Digest(match.Vars["digest"])
	if route == v2.RouteNameManifest {
		d = digest.Digest(match.Vars["reference"])
	}
	switch r.Method {
	case http.MethodHead:
		// A client that learns that something exists will count on it.
		h.follow(r)
		h.serveTouched(w, r, repository, d)
	case http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete:
		h.serveWrite(w, r, route, repository, d)
	default:
		if h.fence.blind.Load() {
			h.follow(r)
		}
		h.serve(w, r)
	}
}

// follow lets the cache know of pauses. Where the store does not say, there is no cache.
func (h *handler) follow(r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), h.fence.timing.Patience)
	defer cancel()
	_, _ = h.fence.looks.recent(ctx)
}

func (h *handler) serveWrite(w http.ResponseWriter, r *http.Request, route, repository string, d digest.Digest) {
	if route == v2.RouteNameManifest && r.Method == http.MethodPut {
		h.servePush(w, r, repository)
		return
	}
	patience, cancel := context.WithTimeoutCause(r.Context(), h.fence.timing.Patience, errPaused)
	defer cancel()
	if _, err := h.fence.enter(patience); err != nil {
		refuse(w, err)
		return
	}
	switch route {
	case v2.RouteNameManifest, v2.RouteNameBlob:
		defer h.fence.gate.leave()
		h.serve(w, r)
	default:
		// Uploads may take hours and are not waited for: no collection deletes them, nor
		// the blob they end as.
		h.fence.gate.leave()
		r, d = subject(r)
		h.serveTouched(w, r.WithContext(enginestore.Upload(r.Context())), repository, d)
	}
}

// subject is the blob that a request to upload is about. By a digest of another algorithm
// than its own, the engine makes a mount that leads nowhere; without one, the client
// uploads the blob.
func subject(r *http.Request) (*http.Request, digest.Digest) {
	query := r.URL.Query()
	if !query.Has("mount") {
		return r, digest.Digest(query.Get("digest"))
	}
	d := digest.Digest(query.Get("mount"))
	if d.Validate() != nil || d.Algorithm() == digest.Canonical {
		return r, d
	}
	r = r.Clone(r.Context())
	query.Del("mount")
	query.Del("from")
	r.URL.RawQuery = query.Encode()
	// It may have been parsed already.
	r.Form = query
	return r, ""
}

// serve has the request use one generation of the cache all its life.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) {
	h.engine.ServeHTTP(w, r.WithContext(h.fence.caches.Pin(r.Context())))
}

// serveTouched keeps what the request is about, if the answer is that it exists.
func (h *handler) serveTouched(w http.ResponseWriter, r *http.Request, repository string, d digest.Digest) {
	if d.Validate() != nil {
		h.serve(w, r)
		return
	}
	untouch := h.fence.touched.touch(repository, d)
	observed := &observer{ResponseWriter: w}
	h.serve(observed, r)
	switch observed.status {
	// A redirect leads to where the blob is.
	case http.StatusOK, http.StatusCreated, http.StatusTemporaryRedirect:
	default:
		untouch()
		return
	}
	if d.Algorithm() != digest.Canonical {
		h.fence.touchTarget(r.Context(), repository, d)
	}
}

// touchTarget keeps the bytes of a layer that has a digest of another algorithm than the
// one by which the engine keeps them.
func (f *Fence) touchTarget(ctx context.Context, repository string, d digest.Digest) {
	content, err := f.driver.GetContent(ctx, layout.LinkPath(layout.RepositoryPath(repository, layout.Layers), d))
	if target := digest.Digest(content); err == nil && target.Validate() == nil {
		f.touched.touch(repository, target)
	}
}

// enter waits for the end of all pauses. Who entered has to leave the gate.
func (f *Fence) enter(ctx context.Context) (state, error) {
	for {
		s, err := f.looks.recent(ctx)
		if err == nil && !f.swept(s) {
			return s, f.gate.enter(ctx)
		}
		if err == nil {
			err = sleep(ctx, f.timing.Fresh/2)
		}
		if err != nil {
			return s, errors.Join(err, context.Cause(ctx))
		}
	}
}

// refuse says when to come back.
func refuse(w http.ResponseWriter, reason error) {
	if !errors.Is(reason, errPaused) && !errors.Is(reason, errUnsure) {
		reason = errors.New("the store cannot be asked whether a garbage collection is under way; try again")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	w.WriteHeader(http.StatusServiceUnavailable)
	body, _ := json.Marshal(map[string]any{"errors": []map[string]string{{"code": "UNAVAILABLE", "message": reason.Error()}}})
	// The client is gone when this fails.
	_, _ = w.Write(body)
}

const retryAfter = 5 * time.Second

// observer remembers the status.
type observer struct {
	http.ResponseWriter
	status int
}

func (o *observer) WriteHeader(status int) {
	if o.status == 0 {
		o.status = status
	}
	o.ResponseWriter.WriteHeader(status)
}

func (o *observer) Write(content []byte) (int, error) {
	if o.status == 0 {
		o.status = http.StatusOK
	}
	return o.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (o *observer) Unwrap() http.ResponseWriter { return o.ResponseWriter }
