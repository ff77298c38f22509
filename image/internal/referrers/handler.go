package referrers

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"
)

// Gate lets through who may pull from a repository, and answers everybody else.
type Gate func(w http.ResponseWriter, r *http.Request, repository string) bool

// Handler answers requests for referrers, and leaves others to the engine.
func Handler(engine http.Handler, lister *Lister, gate Gate, config configuration.HTTP, log *logrus.Entry) http.Handler {
	base := strings.TrimSuffix("/"+strings.Trim(config.Prefix, "/"), "/") + "/v2/"
	return &handler{
		engine:  engine,
		lister:  lister,
		gate:    gate,
		headers: config.Headers,
		log:     log,
		path:    regexp.MustCompile("^" + regexp.QuoteMeta(base) + "(" + reference.NameRegexp.String() + ")/referrers/([^/]+)$"),
	}
}

type handler struct {
	engine http.Handler
	lister *Lister
	gate   Gate
	// headers are http.headers.
	headers http.Header
	log     *logrus.Entry
	path    *regexp.Regexp
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
	case subject.Validate() != nil:
		refuse(w, errcode.ErrorCodeDigestInvalid.WithDetail(parts[2]))
	default:
		h.serve(w, r, repository, subject)
	}
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, repository string, subject digest.Digest) {
	query := r.URL.Query()
	n := math.MaxInt
	if given := query.Get("n"); given != "" {
		var err error
		if n, err = strconv.Atoi(given); err != nil || n < 1 {
			refuse(w, errcode.ErrorCodePaginationNumberInvalid.WithDetail(map[string]string{"n": given}))
			return
		}
	}
	found, err := h.lister.list(r.Context(), repository, subject, digest.Digest(query.Get("last")), n, query["artifactType"])
	if err != nil {
		h.log.WithError(err).Errorf("referrers of %s@%s", repository, subject)
		refuse(w, errcode.ErrorCodeUnknown)
		return
	}
	if query.Has("artifactType") {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	if found.last != "" {
		query.Set("last", found.last.String())
		next := url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, next.String()))
	}
	content, err := json.Marshal(struct {
		specs.Versioned
		MediaType string            `json:"mediaType"`
		Manifests []json.RawMessage `json:"manifests"`
	}{specs.Versioned{SchemaVersion: 2}, v1.MediaTypeImageIndex, found.descriptors})
	if err != nil {
		h.log.WithError(err).Errorf("referrers of %s@%s", repository, subject)
		refuse(w, errcode.ErrorCodeUnknown)
		return
	}
	w.Header().Set("Content-Type", v1.MediaTypeImageIndex)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	// The client is gone when this fails.
	_, _ = w.Write(content)
}

func refuse(w http.ResponseWriter, reason error) {
	// The client is gone when this fails.
	_ = errcode.ServeJSON(w, reason)
}
