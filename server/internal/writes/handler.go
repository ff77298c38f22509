package writes

import (
	"context"
	"io"
	"mime"
	"net/http"
	"slices"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/access"
	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/status"
)

// Handler wraps the engine and its fence, inside the handler that finds out who the client is. The prefix is
// http.prefix. If nobody needs to know when a tag was changed and what it named before, holdBack is nil, and
// the store is asked for nothing.
func Handler(engine http.Handler, holdBack HoldBack, prefix string, observers ...Observer) http.Handler {
	if len(observers) == 0 {
		return engine
	}
	return &handler{engine, holdBack, v2.RouterWithPrefix(prefix), observers}
}

type handler struct {
	engine    http.Handler
	holdBack  HoldBack
	router    *mux.Router
	observers []Observer
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if write, ok := h.begin(r); ok {
		header := w.Header()
		if write.Action == Push && write.Kind == Manifest && r.ContentLength < 0 {
			r.Body = &counted{r.Body, &write.Size}
		}
		seen := &changes{holdBack: h.holdBack}
		defer seen.end()
		if h.holdBack != nil {
			r = r.WithContext(enginestore.Watch(r.Context(), seen.changed))
		}
		w = status.Watch(w, func(code int) { h.tell(r, write, seen, code, header) })
	}
	h.engine.ServeHTTP(w, r)
}

// counted is a body whose size the client has not announced.
type counted struct {
	io.ReadCloser
	size *int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	*c.size += int64(n)
	return n, err
}

// begin is what a request is about to do.
func (h *handler) begin(r *http.Request) (w Write, ok bool) {
	if r.Method != http.MethodPut && r.Method != http.MethodPost && r.Method != http.MethodDelete {
		return w, false
	}
	var match mux.RouteMatch
	if !h.router.Match(r, &match) || match.Route == nil {
		return w, false
	}
	w = Write{
		Repository: match.Vars["name"],
		User:       access.UserOf(r.Context()),
		Address:    r.RemoteAddr,
		UserAgent:  r.UserAgent(),
	}
	reference := match.Vars["reference"]
	named := digest.Digest(reference)
	if named.Validate() != nil {
		named = ""
	}
	switch route := match.Route.GetName(); {
	case route == v2.RouteNameManifest && r.Method == http.MethodPut:
		// The engine takes the media type without parameters and in lower case, and none that can't be parsed.
		mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		w.Action, w.Kind, w.MediaType, w.Size = Push, Manifest, mediaType, max(0, r.ContentLength)
		names := []string{reference}
		if named != "" {
			names = r.URL.Query()["tag"]
		}
		for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
			w.Tags = append(w.Tags, TagChange{Name: name})
		}
	case route == v2.RouteNameManifest && r.Method == http.MethodDelete && named == "":
		w.Action, w.Kind = Delete, Tag
		w.Tags = []TagChange{{Name: reference}}
	case route == v2.RouteNameManifest && r.Method == http.MethodDelete:
		w.Action, w.Kind, w.Digest = Delete, Manifest, named
	case route == v2.RouteNameBlob && r.Method == http.MethodDelete:
		w.Action, w.Kind, w.Digest = Delete, Blob, digest.Digest(match.Vars["digest"])
	case route == v2.RouteNameBlobUpload && r.Method == http.MethodPost, route == v2.RouteNameBlobUploadChunk && r.Method == http.MethodPut:
		// The blob's size is left out: it would take one more request to the store.
		w.Action, w.Kind = Push, Blob
	default:
		return w, false
	}
	return w, true
}

// tell is called with the answer, before the client has it.
func (h *handler) tell(r *http.Request, w Write, seen *changes, code int, header http.Header) {
	done := http.StatusCreated
	if w.Action == Delete {
		done = http.StatusAccepted
	}
	if code != done {
		return
	}
	if w.Action == Push {
		w.Digest = digest.Digest(header.Get("Docker-Content-Digest"))
	}
	for _, each := range seen.all() {
		w.Time = each.at
		if h.holdBack != nil {
			w.Tags = each.tags()
		}
		for _, observe := range h.observers {
			observe(context.WithoutCancel(r.Context()), w)
		}
	}
	seen.end()
}
