package referrers

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/paths"
)

// Gate lets through who may pull from a repository, and answers everybody else.
type Gate func(w http.ResponseWriter, r *http.Request, repository string) bool

// Answer answers who may know which manifests are about the subject.
type Answer func(w http.ResponseWriter, r *http.Request, repository string, subject digest.Digest)

// Route answers requests for referrers, and leaves others to the engine.
func Route(engine http.Handler, gate Gate, answer Answer, config configuration.HTTP) http.Handler {
	base := paths.API(config.Prefix)
	return &route{
		engine:  engine,
		gate:    gate,
		answer:  answer,
		headers: config.Headers,
		path:    regexp.MustCompile("^" + regexp.QuoteMeta(base) + "(" + reference.NameRegexp.String() + ")/referrers/([^/]+)$"),
	}
}

type route struct {
	engine http.Handler
	gate   Gate
	answer Answer
	// headers are http.headers.
	headers http.Header
	path    *regexp.Regexp
}

func (h *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := h.path.FindStringSubmatch(r.URL.Path)
	if parts == nil {
		h.engine.ServeHTTP(w, r)
		return
	}
	for name, values := range h.headers {
		w.Header()[http.CanonicalHeaderKey(name)] = slices.Clone(values)
	}
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	repository, subject := parts[1], digest.Digest(parts[2])
	switch {
	case !h.gate(w, r, repository):
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, errcode.ErrorCodeUnsupported)
	case !layout.IsRepositoryName(repository):
		refuse(w, errcode.ErrorCodeNameInvalid.WithDetail(repository))
	case subject.Validate() != nil:
		refuse(w, errcode.ErrorCodeDigestInvalid.WithDetail(parts[2]))
	default:
		h.answer(w, filtered(r), repository, subject)
	}
}

// filtered leaves out types that are none: a client that always writes the word filters by nothing.
func filtered(r *http.Request) *http.Request {
	const name = "artifactType"
	query := r.URL.Query()
	blank := func(each string) bool { return strings.TrimSpace(each) == "" }
	if !slices.ContainsFunc(query[name], blank) {
		return r
	}
	query[name] = slices.DeleteFunc(query[name], blank)
	asked := *r
	asked.URL = &url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
	return &asked
}

func refuse(w http.ResponseWriter, reason error) {
	// The client is gone when this fails.
	_ = errcode.ServeJSON(w, reason)
}
