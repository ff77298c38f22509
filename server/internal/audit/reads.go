package audit

import (
	"net/http"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/access"
	"container-registry/server/internal/logging"
	"container-registry/server/internal/status"
	"container-registry/server/internal/writes"
)

// Reads adds a line for each manifest and blob that a client gets. It wraps the engine, inside the
// handler that finds out who the client is. prefix is http.prefix.
func (l *Log) Reads(engine http.Handler, prefix string) http.Handler {
	router := v2.RouterWithPrefix(prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var match mux.RouteMatch
		if r.Method != http.MethodGet || !router.Match(r, &match) || match.Route == nil {
			engine.ServeHTTP(w, r)
			return
		}
		line := recordOf(access.UserOf(r.Context()), r.RemoteAddr, r.UserAgent())
		line.Action, line.Repository = "pull", logging.Bound(match.Vars["name"], mostOfText)
		switch match.Route.GetName() {
		case v2.RouteNameManifest:
			line.Kind = writes.Manifest
			if reference := match.Vars["reference"]; digest.Digest(reference).Validate() != nil {
				line.Tag = logging.Bound(reference, mostOfText)
			}
		case v2.RouteNameBlob:
			line.Kind, line.Digest = writes.Blob, digest.Digest(match.Vars["digest"])
		default:
			engine.ServeHTTP(w, r)
			return
		}
		engine.ServeHTTP(status.Watch(w, func(code int) {
			switch code {
			// The client gets what it asked for, or is sent to the store for it.
			case http.StatusOK, http.StatusPartialContent, http.StatusTemporaryRedirect:
				if line.Kind == writes.Manifest {
					line.Digest = digest.Digest(w.Header().Get("Docker-Content-Digest"))
				}
				l.add(l.reads, line)
			}
		}), r)
	})
}
