package referrers

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/bounds"
)

const (
	// lists is how many are made at a time, and how many long ones are held until their
	// clients have taken them.
	lists = 16
	// patience is how long a client waits for those that take them slowly.
	patience = 2 * time.Second
)

// Of answers by what a store has.
func Of(lister *Lister, log *logrus.Entry) Answer {
	h := &handler{lister: lister, log: log, lists: make(places, lists), long: make(places, lists)}
	return h.serve
}

type handler struct {
	lister      *Lister
	log         *logrus.Entry
	lists, long places
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
	if err := h.lists.take(r.Context()); err != nil {
		return
	}
	made := sync.OnceFunc(h.lists.leave)
	defer made()
	found, err := h.lister.list(r.Context(), repository, subject, digest.Digest(query.Get("last")), n, query["artifactType"])
	if err != nil {
		h.log.WithError(err).Errorf("referrers of %s@%s", repository, subject)
		refuse(w, errcode.ErrorCodeUnknown)
		return
	}
	if found.size > large {
		waiting, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		if err := h.long.take(waiting); err != nil {
			bounds.Unavailable(w, "too many long lists of referrers at once", patience)
			return
		}
		defer h.long.leave()
	}
	made()
	if query.Has("artifactType") {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	if found.last != "" {
		query.Set("last", found.last.String())
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
