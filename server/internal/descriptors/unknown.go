package descriptors

import (
	"context"
	"net/http"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// Handler goes around the engine, which finds a layer in the cache when it is asked for a
// manifest of its digest, and fails on what it reads then. http.prefix is the prefix.
func Handler(engine http.Handler, driver storagedriver.StorageDriver, prefix string) http.Handler {
	router := v2.RouterWithPrefix(prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var match mux.RouteMatch
		if router.Match(r, &match) && match.Route != nil && match.Route.GetName() == v2.RouteNameManifest {
			if d := digest.Digest(match.Vars["reference"]); d.Validate() == nil && r.Method != http.MethodPut {
				w = &unknown{ResponseWriter: w, context: r.Context(), driver: driver, repository: match.Vars["name"], digest: d}
			}
		}
		engine.ServeHTTP(w, r)
	})
}

// unknown is the answer about what may be no manifest.
type unknown struct {
	http.ResponseWriter
	context    context.Context
	driver     storagedriver.StorageDriver
	repository string
	digest     digest.Digest
	told       bool
}

func (u *unknown) WriteHeader(status int) {
	if status == http.StatusInternalServerError && u.isNone() {
		u.told = true
		// The client is gone when this fails.
		_ = errcode.ServeJSON(u.ResponseWriter, errcode.ErrorCodeManifestUnknown.WithDetail(u.digest))
		return
	}
	u.ResponseWriter.WriteHeader(status)
}

func (u *unknown) isNone() bool {
	_, err := u.driver.Stat(u.context, layout.RevisionPath(u.repository, u.digest))
	return layout.IsMissing(err)
}

func (u *unknown) Write(content []byte) (int, error) {
	if u.told {
		return len(content), nil
	}
	return u.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (u *unknown) Unwrap() http.ResponseWriter { return u.ResponseWriter }
