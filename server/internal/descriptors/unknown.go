package descriptors

import (
	"net/http"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// Handler goes around the engine, which finds a layer in the cache when it is asked for a
// manifest of its digest, and fails on what it reads then. It fails on damaged manifests
// too, and clients that ask before they push would give up. http.prefix is the prefix.
func Handler(engine http.Handler, driver storagedriver.StorageDriver, prefix string) http.Handler {
	router := v2.RouterWithPrefix(prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var match mux.RouteMatch
		if router.Match(r, &match) && match.Route != nil && match.Route.GetName() == v2.RouteNameManifest {
			if r.Method != http.MethodPut {
				w = &unknown{ResponseWriter: w, request: r, driver: driver, repository: match.Vars["name"], reference: match.Vars["reference"]}
			}
		}
		engine.ServeHTTP(w, r)
	})
}

// unknown is the answer about what may be no manifest.
type unknown struct {
	http.ResponseWriter
	request    *http.Request
	driver     storagedriver.StorageDriver
	repository string
	reference  string
	told       bool
}

func (u *unknown) WriteHeader(status int) {
	if status == http.StatusInternalServerError && u.isNone() {
		u.told = true
		// The client is gone when this fails.
		_ = errcode.ServeJSON(u.ResponseWriter, errcode.ErrorCodeManifestUnknown.WithDetail(u.reference))
		return
	}
	u.ResponseWriter.WriteHeader(status)
}

func (u *unknown) isNone() bool {
	ctx := u.request.Context()
	d := digest.Digest(u.reference)
	if d.Validate() != nil {
		link, err := u.driver.GetContent(ctx, layout.TagPath(u.repository, u.reference))
		if d = digest.Digest(link); err != nil || d.Validate() != nil {
			return false
		}
	} else if _, err := u.driver.Stat(ctx, layout.RevisionPath(u.repository, d)); layout.IsMissing(err) {
		return true
	}
	if u.request.Method != http.MethodHead {
		return false
	}
	content, err := u.driver.GetContent(ctx, layout.BlobPath(d))
	return err == nil && d.Algorithm().FromBytes(content) != d
}

func (u *unknown) Write(content []byte) (int, error) {
	if u.told {
		return len(content), nil
	}
	return u.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (u *unknown) Unwrap() http.ResponseWriter { return u.ResponseWriter }
