package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/heldback"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/paths"
	"container-registry/server/internal/referrers"
)

// mostOfList is the size of a list that clients have to accept, by the specification.
const mostOfList = 4 << 20

// Referrers asks the upstream each time, and keeps nothing of its answer. What is about an image comes later
// than the image, and a signature is looked for right after it was made.
//
// The engine has a login at the upstream, but does not know the referrers API. So the engine is asked for the
// tag under which clients keep the list if a registry has no such API. On the way to the upstream, the API is
// asked first, with the same login. If the upstream has no such API, the tag is the answer: it is pulled and
// cached like any other.
func Referrers(engine http.Handler, prefix string) referrers.Answer {
	base := paths.API(prefix)
	return func(w http.ResponseWriter, r *http.Request, repository string, subject digest.Digest) {
		q := &question{client: r, subject: subject}
		tagged := r.Clone(context.WithValue(r.Context(), questionKey{}, q))
		tagged.Method = http.MethodGet
		tagged.URL = &url.URL{Path: base + repository + "/manifests/" + layout.ReferrersTag(subject)}
		tagged.Header = http.Header{"Accept": {v1.MediaTypeImageIndex}}
		tag := heldback.New()
		engine.ServeHTTP(tag, tagged)
		q.reply(w, tag)
	}
}

// reply answers with the API's list, or else with the tagged one.
func (q *question) reply(w http.ResponseWriter, tag *heldback.Answer) {
	told := heardOf(q.client.Context())
	switch {
	case q.answer != nil:
		defer q.answer.Body.Close()
		q.pass(w)
	case q.refusal != nil:
		told.asked, told.refusal = true, q.refusal
		w.WriteHeader(http.StatusBadGateway)
	case told.gone:
		writeList(w, nothing)
	case tag.Status == http.StatusOK:
		writeList(w, listIn(tag.Content.Bytes()))
	case tag.Status == http.StatusNotFound && told.refusal == nil && told.missing:
		writeList(w, nothing)
	default:
		// The surrounding handler gives the upstream's reason.
		tag.Send(w)
	}
}

// nothing is an empty list.
var nothing, _ = json.Marshal(v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{}})

// listIn returns the tagged content if it is a list, and an empty list otherwise.
func listIn(content []byte) []byte {
	var index struct {
		MediaType string            `json:"mediaType"`
		Manifests []json.RawMessage `json:"manifests"`
	}
	if json.Unmarshal(content, &index) != nil || index.MediaType != v1.MediaTypeImageIndex || index.Manifests == nil {
		return nothing
	}
	return content
}

// writeList answers HEAD as well, for which net/http leaves out the content. If it fails, the client is gone.
func writeList(w http.ResponseWriter, content []byte) {
	w.Header().Set("Content-Type", v1.MediaTypeImageIndex)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content)
}

// nextPage finds the address of the next page in a Link header.
var nextPage = regexp.MustCompile(`<([^>]*)>\s*;\s*rel="?next"?`)

// pass passes the upstream's answer on as it comes.
func (q *question) pass(w http.ResponseWriter) {
	tooLong := fmt.Sprintf("the upstream's list of referrers is longer than %d MiB", mostOfList>>20)
	if q.answer.ContentLength > mostOfList {
		// The client is gone when this fails.
		_ = errcode.ServeJSON(w, errcode.ErrorCodeUnavailable.WithMessage(tooLong))
		return
	}
	header := w.Header()
	header.Set("Content-Type", v1.MediaTypeImageIndex)
	if filters := q.answer.Header.Get("OCI-Filters-Applied"); filters != "" {
		header.Set("OCI-Filters-Applied", filters)
	}
	if link := nextPage.FindStringSubmatch(q.answer.Header.Get("Link")); link != nil {
		if next, err := url.Parse(link[1]); err == nil {
			here := url.URL{Path: q.client.URL.Path, RawQuery: next.Query().Encode()}
			header.Set("Link", fmt.Sprintf(`<%s>; rel="next"`, here.String()))
		}
	}
	if q.answer.ContentLength >= 0 {
		header.Set("Content-Length", strconv.FormatInt(q.answer.ContentLength, 10))
	}
	if q.client.Method == http.MethodHead {
		return
	}
	if n, err := io.Copy(w, io.LimitReader(q.answer.Body, mostOfList+1)); err != nil || n > mostOfList {
		// An aborted response shows the client that the list is not complete.
		panic(http.ErrAbortHandler)
	}
}
