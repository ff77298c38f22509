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
// manifest of its digest, and fails on what it reads then. It fails on damaged manifests
// too, and clients that ask before they push would give up, and on the deletion of a layer that
// has just gone. http.prefix is the prefix.
func Handler(engine http.Handler, driver storagedriver.StorageDriver, prefix string) http.Handler {
	router := v2.RouterWithPrefix(prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var match mux.RouteMatch
		if router.Match(r, &match) && match.Route != nil {
			ctx, repository := r.Context(), match.Vars["name"]
			switch route := match.Route.GetName(); {
			case route == v2.RouteNameManifest && r.Method != http.MethodPut:
				reference := match.Vars["reference"]
				w = &unknown{ResponseWriter: w, reason: errcode.ErrorCodeManifestUnknown.WithDetail(reference), isNone: func() bool {
					return isNoManifest(ctx, driver, repository, reference, r.Method == http.MethodHead)
				}}
			case route == v2.RouteNameBlob && r.Method == http.MethodDelete:
				d := digest.Digest(match.Vars["digest"])
				w = &unknown{ResponseWriter: w, reason: errcode.ErrorCodeBlobUnknown.WithDetail(d), isNone: func() bool {
					return isGone(ctx, driver, layout.LinkPath(layout.RepositoryPath(repository, layout.Layers), d))
				}}
			}
		}
		engine.ServeHTTP(w, r)
	})
}

// unknown is the answer about what may not be there.
type unknown struct {
	http.ResponseWriter
	// isNone is asked when the engine fails, and reason is what clients are told then.
	isNone func() bool
	reason error
	told   bool
}

func (u *unknown) WriteHeader(status int) {
	if status == http.StatusInternalServerError && u.isNone() {
		u.told = true
		// The client is gone when this fails.
		_ = errcode.ServeJSON(u.ResponseWriter, u.reason)
		return
	}
	u.ResponseWriter.WriteHeader(status)
}

// isNoManifest says so of a damaged one to a client that only asks whether it is there.
func isNoManifest(ctx context.Context, driver storagedriver.StorageDriver, repository, reference string, asked bool) bool {
	d := digest.Digest(reference)
	if d.Validate() != nil {
		link, err := driver.GetContent(ctx, layout.TagPath(repository, reference))
		if d = digest.Digest(link); err != nil || d.Validate() != nil {
			return false
		}
	} else if isGone(ctx, driver, layout.RevisionPath(repository, d)) {
		return true
	}
	if !asked {
		return false
	}
	content, err := driver.GetContent(ctx, layout.BlobPath(d))
	return err == nil && d.Algorithm().FromBytes(content) != d
}

func isGone(ctx context.Context, driver storagedriver.StorageDriver, link string) bool {
	_, err := driver.Stat(ctx, link)
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
