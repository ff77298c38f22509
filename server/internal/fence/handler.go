package fence

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/status"
	"container-registry/server/internal/wait"
)

// errPaused is for a write that has waited long enough for the end of a pause.
var errPaused = errors.New("a garbage collection pauses all writes; try again")

// errDeleting is for a push that has waited long enough for the end of a deletion.
var errDeleting = errors.New("somebody deletes from the repository; try again")

// errSilent is for a write that waited in vain for the store to say whether there is a pause.
var errSilent = errors.New("the store gives no answer in time; try again")

// errUnsure is for the rare push whose tag was already written when a collection that had just begun may
// have deleted something that it needs.
var errUnsure = errors.New("it cannot be told whether the push has succeeded; push again")

// errTagStays is for a deletion that left a tag although its manifest is gone: the engine accepted the
// deletion, or does not find the manifest any more.
var errTagStays = errors.New("the store gave no answer about a tag that was to be deleted; delete the manifest again")

// Handler wraps the engine. The prefix is http.prefix.
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
		// A client that learns that something exists counts on it from then on.
		r = h.prepare(r, true, route, repository, d)
		h.serveTouched(h.doubting(w, r, repository, d), r, repository, d)
	case http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete:
		h.serveWrite(w, r, route, repository, d)
	default:
		r = h.prepare(r, h.fence.blind.Load(), route, repository, d)
		h.serve(h.losing(w, r, route, repository, d), r)
	}
}

// losing has the next push upload a layer that is linked but was not found: it vanished from the store
// without a collection.
func (h *handler) losing(w http.ResponseWriter, r *http.Request, route, repository string, d digest.Digest) http.ResponseWriter {
	if route != v2.RouteNameBlob || d.Validate() != nil {
		return w
	}
	return &verdict{ResponseWriter: w, of: func(status int) int {
		if status != http.StatusNotFound {
			return status
		}
		if kept, ok := h.fence.target(r.Context(), repository, d); ok {
			h.fence.doubts.add(repository, d, gone)
			h.fence.caches.Doubt(r.Context(), repository, d, kept)
		}
		return status
	}}
}

// prepare is called before the engine looks for what is asked for. If the store does not answer, the
// request goes on unprepared.
func (h *handler) prepare(r *http.Request, follows bool, route, repository string, d digest.Digest) *http.Request {
	ctx, cancel := context.WithTimeout(r.Context(), h.fence.timing.Patience)
	defer cancel()
	if follows {
		// This tells the cache of pauses. If the store does not answer, the cache is not used.
		_, _ = h.fence.looks.recent(ctx)
	}
	if route == v2.RouteNameManifest && h.deleted(ctx, r, repository, d) {
		r = r.Clone(r.Context())
		r.Header.Del("If-None-Match")
	}
	return r
}

// deleted says whether a manifest was deleted through another server. This server's cache may still know
// it, so it is doubted, and nobody can pull it. Nor may a client learn that it has not changed: the engine
// says so before it looks for it. If the store does not answer, the cache is believed.
func (h *handler) deleted(ctx context.Context, r *http.Request, repository string, d digest.Digest) bool {
	if d.Validate() != nil && r.Header.Get("If-None-Match") != "" {
		// As a rule, a tag is deleted together with the manifest that it names.
		d, _ = h.fence.leads(ctx, layout.TagPath(repository, d.String()))
	}
	if d.Validate() != nil {
		return false
	}
	if there, err := h.fence.linked(ctx, layout.RevisionPath(repository, d)); err != nil || there {
		return false
	}
	h.fence.caches.Doubt(r.Context(), repository, d)
	return true
}

func (h *handler) serveWrite(w http.ResponseWriter, r *http.Request, route, repository string, d digest.Digest) {
	if route == v2.RouteNameManifest && r.Method == http.MethodPut {
		h.servePush(w, r, repository)
		return
	}
	patience, cancel := context.WithTimeoutCause(r.Context(), h.fence.timing.Patience, errSilent)
	defer cancel()
	if _, err := h.fence.enter(patience, ""); err != nil {
		refuse(w, err)
		return
	}
	switch route {
	case v2.RouteNameManifest, v2.RouteNameBlob:
		defer h.fence.gate.leave()
		if route == v2.RouteNameManifest {
			h.serveDeletion(w, r, repository, d)
			return
		}
		h.serve(w, r)
	default:
		h.fence.gate.leave()
		h.serveUpload(w, r, repository)
	}
}

// serveUpload may take hours and is not waited for: no collection deletes an upload, nor the
// blob it ends as.
func (h *handler) serveUpload(w http.ResponseWriter, r *http.Request, repository string) {
	if r.Method == http.MethodPut {
		lasting, ended := enginestore.Lasting(r)
		defer ended()
		r = lasting
	}
	r, d := h.subject(r, repository)
	r, upload := enginestore.Upload(r)
	defer upload.Done()
	exists := false
	if d.Validate() == nil && d.Algorithm() != digest.Canonical {
		// The engine keeps the bytes by its own digest, which is known only when it has looked for it.
		var answered []func(exists bool)
		upload.Looked = func(kept digest.Digest) { answered = append(answered, h.fence.keep(repository, kept)) }
		defer func() {
			for _, each := range answered {
				each(exists)
			}
		}()
	}
	exists = h.serveTouched(h.uploading(w, r, upload, repository, d), r, repository, d)
}

// uploading ends the doubt about a blob once the client has sent it. If it replaced another file, all servers
// forget what they knew of that. An upload that is not what the client says it is gets deleted.
func (h *handler) uploading(w http.ResponseWriter, r *http.Request, upload *enginestore.Ending, repository string, d digest.Digest) http.ResponseWriter {
	return &verdict{ResponseWriter: w, of: func(status int) int {
		if status == http.StatusCreated {
			h.fence.doubts.settle(repository, d)
		}
		// This is also done for a client that has gone.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), h.fence.timing.Patience)
		defer cancel()
		if status == http.StatusBadRequest && upload.Unverified != "" {
			// The engine gives up if it can't cancel an upload that it has committed. If it can't be deleted
			// here either, it stays like any abandoned upload.
			_ = layout.Remove(ctx, h.fence.driver, upload.Unverified)
		}
		if upload.Replaced {
			// If the generation can't be written, the store fails in any case.
			_ = h.fence.forgetAll(ctx)
			h.fence.looks.forget()
		}
		return status
	}}
}

// subject is the blob that an upload is for. A mount of a digest that is not SHA-256, or of a blob in
// doubt, becomes a plain upload: the engine would link to a blob that is not there or may be damaged.
func (h *handler) subject(r *http.Request, repository string) (*http.Request, digest.Digest) {
	query := r.URL.Query()
	if !query.Has("mount") {
		return r, digest.Digest(query.Get("digest"))
	}
	d := digest.Digest(query.Get("mount"))
	if d.Validate() != nil || d.Algorithm() == digest.Canonical && !h.fence.doubts.has(repository, d) {
		return r, d
	}
	r = r.Clone(r.Context())
	query.Del("mount")
	query.Del("from")
	r.URL.RawQuery = query.Encode()
	// The form may have been parsed already.
	r.Form = query
	return r, ""
}

// serve has the request use the same generation of the cache from beginning to end.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) {
	h.engine.ServeHTTP(w, r.WithContext(h.fence.caches.Pin(r.Context())))
}

// serveTouched keeps what the request is about from being deleted, if the answer says that it exists.
func (h *handler) serveTouched(w http.ResponseWriter, r *http.Request, repository string, d digest.Digest) (exists bool) {
	if d.Validate() != nil {
		h.serve(w, r)
		return false
	}
	told, answered := 0, h.fence.touch(r.Context(), repository, d)
	// Deferred, so that it also runs if the client goes away in the middle.
	defer func() { answered(exists) }()
	h.serve(status.Watch(w, func(code int) { told = code }), r)
	return told == http.StatusCreated || isThere(told)
}

// isThere says whether an answer tells a client that what it asks for exists. A redirect leads to the blob.
func isThere(status int) bool {
	switch status {
	case http.StatusOK, http.StatusPartialContent, http.StatusNotModified, http.StatusTemporaryRedirect:
		return true
	}
	return false
}

// touch is keep, also for the bytes of a layer whose digest is of another algorithm than the one by which
// the engine keeps them.
func (f *Fence) touch(ctx context.Context, repository string, d digest.Digest) (answered func(exists bool)) {
	it, bytes := f.keep(repository, d), func(bool) {}
	if d.Algorithm() != digest.Canonical {
		if target, ok := f.target(ctx, repository, d); ok {
			bytes = f.keep(repository, target)
		}
	}
	return func(exists bool) {
		it(exists)
		bytes(exists)
	}
}

// keep has the digest not be deleted. It waits for a deletion under way even if the client has gone: that
// takes only a moment.
func (f *Fence) keep(repository string, d digest.Digest) (answered func(exists bool)) {
	answered, _ = f.touched.Touch(context.Background(), repository, d)
	return answered
}

// target is the digest that a layer's link leads to.
func (f *Fence) target(ctx context.Context, repository string, d digest.Digest) (digest.Digest, bool) {
	target, err := f.leads(ctx, layout.LinkPath(layout.RepositoryPath(repository, layout.Layers), d))
	return target, err == nil && target != ""
}

// enter waits for the end of all pauses and, for a push, of deletions from the repository that it pushes to.
// A caller that has entered must leave the gate.
func (f *Fence) enter(ctx context.Context, pushed string) (state, error) {
	for paused := error(nil); ; {
		s, err := f.looks.recent(ctx)
		switch {
		case err != nil:
		case f.swept(s):
			paused, err = errPaused, wait.For(ctx, f.timing.Fresh/2)
		case isDeleting(ctx):
			f.gate.again()
			return s, nil
		case pushed != "" && slices.Contains(s.untaggings, untagging(layout.RepositoryPath(pushed))):
			paused, err = errDeleting, wait.For(ctx, f.timing.Fresh/2)
		default:
			if err = f.gate.enter(ctx); err == nil {
				return s, nil
			}
			paused = errPaused
		}
		if paused != nil && errors.Is(context.Cause(ctx), errSilent) {
			return s, paused
		}
		if err != nil {
			return s, cmp.Or(context.Cause(ctx), err)
		}
	}
}
