package server

import (
	"context"
	"net/http"
	"regexp"

	"github.com/distribution/distribution/v3/registry/api/errcode"

	"container-registry/server/internal/healthcheck"
)

// retryAfter is about when the store is looked at again, in seconds.
const retryAfter = "10"

// checks are the health checks that fail now, the store's among them, with their reasons.
type checks func(context.Context) map[string]string

// answerHealth tells everybody, without a login, that the process lives. At /, it tells load balancers whether
// the registry can be used, which it cannot without its store. These requests would make up most of the access
// log, so they are left out of it.
func answerHealth(failing checks, next http.Handler) http.Handler {
	checked := &healthcheck.Checked{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" && r.URL.Path != healthcheck.Path {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-cache")
		checked.Tell(w, r)
		if r.URL.Path == "/" && len(failing(r.Context())) > 0 {
			refuseUnready(w)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
}

var (
	login        = regexp.MustCompile(`/v2/(auth)?$`)
	blobDownload = regexp.MustCompile(`/v2/.+/blobs/[^/]+$`)
)

// whileReady refuses at once what cannot be answered while a check fails, instead of
// letting it wait for the store. Logins need no store, and nor do downloads of blobs that
// clients are sent to the store for.
func whileReady(failing checks, redirects bool, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		storeless := r.Method == http.MethodGet &&
			(login.MatchString(r.URL.Path) || redirects && blobDownload.MatchString(r.URL.Path))
		if !storeless && len(failing(r.Context())) > 0 {
			refuseUnready(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func refuseUnready(w http.ResponseWriter) {
	w.Header().Set("Retry-After", retryAfter)
	// What failed is in the log. It is not for everybody to see.
	_ = errcode.ServeJSON(w, errcode.ErrorCodeUnavailable.WithDetail("what the server needs does not answer, its store first of all"))
}
