package dialect

import (
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"github.com/gorilla/mux"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/paths"
)

// Unmatched goes right around the engine and tells clients what is wrong with a path of the API that is none
// of the engine's, which has a page for that. gate lets through who is let in at all, and answers everybody else.
func Unmatched(engine http.Handler, gate func(http.ResponseWriter, *http.Request) bool, config configuration.HTTP) http.Handler {
	router, api := v2.RouterWithPrefix(config.Prefix), paths.API(config.Prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own, isAPI := strings.CutPrefix(r.URL.Path, api)
		var match mux.RouteMatch
		if !isAPI || !isClean(r.URL.Path) || router.Match(r, &match) {
			engine.ServeHTTP(w, r)
			return
		}
		if gate(w, r) {
			// The client is gone when this fails.
			_ = errcode.ServeJSON(w, unmatched(r.Method, own))
		}
	})
}

// isClean says whether the engine goes by the path as it is. Others it puts right first.
func isClean(p string) bool {
	return p == path.Clean(p) || p == path.Clean(p)+"/"
}

// ofRepository are the name that a path begins with, its kind of things and which one is meant.
var ofRepository = regexp.MustCompile(`^(.+)/(manifests|blobs/uploads|blobs|tags|referrers)/(.*)$`)

func unmatched(method, own string) error {
	nothing := errcode.ErrorCodeNameUnknown.WithMessage("the API has nothing at this path")
	parts := ofRepository.FindStringSubmatch(own)
	if parts == nil {
		return nothing
	}
	name, kind, which := parts[1], parts[2], parts[3]
	switch {
	case !layout.IsRepositoryName(name):
		return errcode.ErrorCodeNameInvalid.WithDetail(name)
	case kind == "blobs/uploads":
		return errcode.ErrorCodeBlobUploadUnknown
	case kind == "blobs", kind == "manifests" && strings.Contains(which, ":"):
		return errcode.ErrorCodeDigestInvalid.WithDetail(which)
	case kind == "manifests" && method == http.MethodPut:
		return errcode.ErrorCodeManifestInvalid.WithDetail("this is no tag: it has other letters than A-Z a-z 0-9 _ . -, begins with . or -, or has more than 128")
	case kind == "manifests":
		// Clients ask for names that they make up.
		return errcode.ErrorCodeManifestUnknown.WithDetail(which)
	default:
		return nothing
	}
}
