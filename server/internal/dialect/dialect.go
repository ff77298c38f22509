// Package dialect stands between clients and the engine where the distribution
// specification lets clients say, or has them expect, what the engine has no words for.
package dialect

import (
	"net/http"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"
)

// Handler goes around the engine. config is the section http of its configuration.
func Handler(engine http.Handler, config configuration.HTTP) http.Handler {
	return &handler{engine, v2.RouterWithPrefix(config.Prefix), config.Host != ""}
}

type handler struct {
	engine http.Handler
	router *mux.Router
	// named says that http.host is given.
	named bool
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.named || r.Host == "" {
		w = staying{w}
	}
	var match mux.RouteMatch
	if h.router.Match(r, &match) && match.Route != nil {
		if refused := refusal(r, match); refused != nil {
			// The client is gone when this fails.
			_ = errcode.ServeJSON(w, refused)
			return
		}
		switch match.Route.GetName() {
		case v2.RouteNameManifest:
			w, r = comparing(w, accepting(r))
		case v2.RouteNameBlob:
			r = whole(r)
			w = unmet{w}
		case v2.RouteNameBlobUpload, v2.RouteNameBlobUploadChunk:
			// Who mounts a blob has it called as it is, whatever else is in the query.
			if query := r.URL.Query(); !query.Has("mount") {
				w = named(w, query.Get("digest"))
			}
			if r.Method == http.MethodDelete {
				h.cancel(w, r)
				return
			}
			r = untyped(r)
		}
	}
	h.engine.ServeHTTP(w, r)
}

// named has the answer call a blob as the client does.
func named(w http.ResponseWriter, name string) http.ResponseWriter {
	d := digest.Digest(name)
	if d.Validate() != nil || d.Algorithm() == digest.Canonical {
		return w
	}
	return &namer{ResponseWriter: w, digest: d}
}
