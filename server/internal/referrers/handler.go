package referrers

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/heavy"
)

// Of answers by what a store has.
func Of(lister *Lister, log *logrus.Entry) Answer {
	h := &handler{lister: lister, log: log}
	return h.serve
}

type handler struct {
	lister *Lister
	log    *logrus.Entry
}

func (h *handler) serve(w http.ResponseWriter, r *http.Request, repository string, subject digest.Digest) {
	query := r.URL.Query()
	for i, each := range query["artifactType"] {
		query["artifactType"][i] = withPlus(each)
	}
	n := math.MaxInt
	if given := query.Get("n"); given != "" {
		var err error
		// Of more than there are, as many as there are.
		if n, err = strconv.Atoi(given); err != nil && !errors.Is(err, strconv.ErrRange) || n < 1 {
			refuse(w, errcode.ErrorCodePaginationNumberInvalid.WithDetail(map[string]string{"n": given}))
			return
		}
	}
	if heavy.Enter(r.Context()) != nil {
		// It says so itself.
		return
	}
	found, err := h.lister.list(r.Context(), repository, subject, query.Get("last"), n, query["artifactType"])
	if err != nil {
		h.log.WithError(err).Warnf("referrers of %s@%s", repository, subject)
		refuse(w, errcode.ErrorCodeUnknown)
		return
	}
	if query.Has("artifactType") {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	if found.last != "" {
		query.Set("last", found.last)
		next := url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, next.String()))
	}
	w.Header().Set("Content-Type", v1.MediaTypeImageIndex)
	w.Header().Set("Content-Length", strconv.Itoa(len(opening)+max(0, found.size-1)+len(closing)))
	if r.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return
	}
	found.write(w)
}

// withPlus is a type as it was typed, such as application/spdx+json: in a query a plus stands for a
// space, which no type has before its parameters.
func withPlus(asked string) string {
	kind, _, _ := strings.Cut(asked, ";")
	return strings.ReplaceAll(kind, " ", "+") + asked[len(kind):]
}

const opening, closing = `{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageIndex + `","manifests":[`, `]}`

// write writes an index. The client is gone when that fails.
func (p page) write(w io.Writer) {
	_, _ = io.WriteString(w, opening)
	for i, each := range p.descriptors {
		if i > 0 {
			_, _ = io.WriteString(w, ",")
		}
		_, _ = w.Write(each)
	}
	_, _ = io.WriteString(w, closing)
}
