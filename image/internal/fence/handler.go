package fence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"strconv"
	"time"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"

	"container-registry/image/internal/layout"
	"container-registry/image/internal/manifest"
	"container-registry/image/internal/repair"
)

// errPaused is for a write that waited long enough.
var errPaused = errors.New("a garbage collection pauses all writes; try again")

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
		_, _ = h.fence.lookRecently(r.Context())
		h.serveTouched(w, r, repository, d)
	case http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete:
		h.serveWrite(w, r, route, repository, d)
	default:
		if h.fence.blind.Load() {
			_, _ = h.fence.lookRecently(r.Context())
		}
		h.serve(w, r)
	}
}

func (h *handler) serveWrite(w http.ResponseWriter, r *http.Request, route, repository string, d digest.Digest) {
	patience, cancel := context.WithTimeoutCause(r.Context(), h.fence.timing.Patience, errPaused)
	defer cancel()
	switch {
	case route == v2.RouteNameManifest && r.Method == http.MethodPut:
		h.servePush(patience, w, r, repository)
	case route == v2.RouteNameManifest || route == v2.RouteNameBlob:
		if err := h.fence.enter(patience); err != nil {
			refuse(w, err)
			return
		}
		defer h.fence.gate.leave()
		h.serve(w, r)
	default:
		// Uploads may take hours and are not waited for: no collection deletes them, nor
		// the blob they end as.
		if err := h.fence.enter(patience); err != nil {
			refuse(w, err)
			return
		}
		h.fence.gate.leave()
		if query := r.URL.Query(); query.Has("mount") {
			d = digest.Digest(query.Get("mount"))
		} else {
			d = digest.Digest(query.Get("digest"))
		}
		h.serveTouched(w, r.WithContext(repair.Upload(r.Context())), repository, d)
	}
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
	if observed.status != http.StatusOK && observed.status != http.StatusCreated {
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

// servePush holds the answer back until it is sure that no collection came in between.
func (h *handler) servePush(patience context.Context, w http.ResponseWriter, r *http.Request, repository string) {
	body := &manifestBody{client: r.Body}
	for {
		answer := &answer{header: http.Header{}}
		again := r.Clone(r.Context())
		again.Body = body
		done, err := h.put(patience, answer, again, repository, body)
		if err != nil {
			refuse(w, err)
			return
		}
		if done {
			answer.send(w)
			return
		}
	}
}

// put is not done when a pause of another server's collection may have begun before the
// manifest was there.
func (h *handler) put(patience context.Context, a *answer, r *http.Request, repository string, body *manifestBody) (bool, error) {
	f := h.fence
	push := Pushed{Repository: repository, Reference: path.Base(r.URL.Path)}
	untouch := func() {}
	var paused error
	r = r.WithContext(f.caches.Pin(r.Context()))
	body.rewind(func(content []byte) error {
		if _, err := manifest.Parse(content); err != nil && len(content) <= maxManifest {
			// The engine says that it is no manifest, with the reason.
			return err
		}
		if paused = f.enter(patience); paused != nil {
			return paused
		}
		// The engine was asked before a pause, perhaps, and looks for the blobs after it.
		f.caches.Renew(r.Context())
		push.Digest = digest.FromBytes(content)
		if paused = f.heal(patience, push.Digest, content); paused != nil {
			f.gate.leave()
			return paused
		}
		untouch = f.touched.touch(repository, push.Digest)
		return nil
	})
	func() {
		defer func() {
			if body.admitted {
				f.gate.leave()
			}
		}()
		h.engine.ServeHTTP(a, r)
		if a.status == http.StatusCreated {
			f.notePush(push)
		}
	}()
	if paused != nil {
		return false, paused
	}
	if a.status != http.StatusCreated {
		untouch()
		return true, nil
	}
	if safe, err := f.announce(r.Context(), push); err != nil || !safe {
		untouch()
		return false, err
	}
	m, err := manifest.Parse(body.content)
	if err != nil {
		return true, nil
	}
	if push.Reference != push.Digest.String() || m.Subject != "" {
		// A tag or its subject keeps it, and all it refers to. Without, an index may come
		// that needs it.
		f.touched.settle(repository, append(m.References(), push.Digest)...)
	}
	return true, nil
}

// heal puts a manifest in the place of what is damaged there: the engine would let that be.
func (f *Fence) heal(ctx context.Context, d digest.Digest, content []byte) error {
	there, err := f.driver.GetContent(ctx, layout.BlobPath(d))
	if layout.IsMissing(err) || err == nil && bytes.Equal(there, content) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.driver.PutContent(ctx, layout.BlobPath(d), content)
}

// enter waits for the end of all pauses. Who entered has to leave the gate.
func (f *Fence) enter(ctx context.Context) error {
	for {
		s, err := f.lookRecently(ctx)
		if err != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		other := s.other(f.ownID())
		if other == nil || other.Phase != phaseSweep {
			return f.gate.enter(ctx)
		}
		if err := sleep(ctx, f.timing.Fresh/2); err != nil {
			return err
		}
	}
}

// announce tells the collection of another server about a manifest that is in the store
// now. It is not safe when that may delete already.
func (f *Fence) announce(ctx context.Context, p Pushed) (bool, error) {
	s, err := f.look(ctx)
	if err != nil {
		return false, err
	}
	other := s.other(f.ownID())
	if other == nil || other.Phase == phaseClaim {
		return true, nil
	}
	if other.Phase == phaseSweep {
		return false, nil
	}
	content, err := json.Marshal(p)
	if err != nil {
		return false, err
	}
	if err := f.driver.PutContent(ctx, path.Join(journalOf(other.ID), randomName()), content); err != nil {
		return false, err
	}
	if s, err = f.look(ctx); err != nil {
		return false, err
	}
	other = s.other(f.ownID())
	return other == nil || other.Phase != phaseSweep, nil
}

// refuse says when to come back.
func refuse(w http.ResponseWriter, reason error) {
	if !errors.Is(reason, errPaused) {
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

// answer is held back.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(content []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(content)
}

func (a *answer) send(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	// The client is gone when this fails.
	_, _ = w.Write(a.body.Bytes())
}
