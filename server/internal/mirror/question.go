package mirror

import (
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
)

// question is a client's for referrers, on its way to the upstream.
type question struct {
	client  *http.Request
	subject digest.Digest

	asked bool
	// answer is the upstream's list, refusal why it gives none. An upstream that does not
	// know such questions has neither.
	answer  *http.Response
	refusal *refusal
}

type questionKey struct{}

// send sends the engine's requests for the tag, and before the first one asks the API.
func (q *question) send(r *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	repository, isTag := strings.CutSuffix(r.URL.Path, "/manifests/"+layout.ReferrersTag(q.subject))
	if !isTag {
		return send(r)
	}
	if !q.asked {
		q.asked = true
		api := r.Clone(q.client.Context())
		api.Method = q.client.Method
		api.URL.Path = repository + "/referrers/" + q.subject.String()
		api.URL.RawQuery = q.client.URL.RawQuery
		api.Header.Set("Accept", v1.MediaTypeImageIndex)
		response, err := send(api)
		if err != nil {
			return nil, err
		}
		q.hear(response)
	}
	if q.answer != nil || q.refusal != nil {
		// There is nothing that the engine need look for.
		return &http.Response{StatusCode: http.StatusNotFound, Request: r, Header: http.Header{}, Body: http.NoBody}, nil
	}
	return send(r)
}

func (q *question) hear(response *http.Response) {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode == http.StatusOK && kind == v1.MediaTypeImageIndex {
		q.answer = response
		return
	}
	q.refusal = refusalOf(response)
	// A connection is used again when all of a short answer was read.
	_, _ = io.CopyN(io.Discard, response.Body, mostWords)
	_ = response.Body.Close()
}
