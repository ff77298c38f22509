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

// question is a client's question for referrers, on its way to the upstream.
type question struct {
	client  *http.Request
	subject digest.Digest

	asked bool
	// answer is the upstream's list, and refusal is why it gives none. Both are nil for an upstream that does
	// not know such questions.
	answer  *http.Response
	refusal *refusal
}

type questionKey struct{}

// sender sends one request.
type sender func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (s sender) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// mostRedirects is the number that the engine follows, too.
const mostRedirects = 10

// follow goes where the upstream redirects a question. The login is sent to the upstream alone.
func follow(r *http.Request, via []*http.Request) error {
	if len(via) >= mostRedirects {
		return http.ErrUseLastResponse
	}
	if asked := via[0].URL; r.URL.Scheme != asked.Scheme || r.URL.Host != asked.Host {
		r.Header.Del("Authorization")
	}
	return nil
}

// send sends the engine's requests. Before the first one for the tag, it asks the API.
func (q *question) send(r *http.Request, u *Upstream) (*http.Response, error) {
	repository, isTag := strings.CutSuffix(r.URL.Path, "/manifests/"+layout.ReferrersTag(q.subject))
	if !isTag {
		return u.send(r)
	}
	if !q.asked {
		q.asked = true
		api := r.Clone(q.client.Context())
		api.Method = q.client.Method
		api.URL.Path = repository + "/referrers/" + q.subject.String()
		api.URL.RawQuery = q.client.URL.RawQuery
		api.Header.Set("Accept", v1.MediaTypeImageIndex)
		away := false
		client := http.Client{CheckRedirect: follow, Transport: sender(func(r *http.Request) (*http.Response, error) {
			away = r.URL.Host != api.URL.Host
			return u.send(r)
		})}
		switch response, err := client.Do(api); {
		case err == nil:
			q.hear(response, u, away)
		case !away:
			return nil, err
		}
	}
	if q.answer != nil || q.refusal != nil {
		// The engine need not look for the tag.
		return &http.Response{StatusCode: http.StatusNotFound, Request: r, Header: http.Header{}, Body: http.NoBody}, nil
	}
	return u.send(r)
}

// hear takes an error for a refusal only if it comes from the upstream itself. GitHub's registry redirects to a
// page of GitHub's, which refuses as web pages do, and keeps lists under their tags.
func (q *question) hear(response *http.Response, u *Upstream, elsewhere bool) {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	switch response.StatusCode {
	case http.StatusOK:
		if kind == v1.MediaTypeImageIndex {
			q.answer = response
			return
		}
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotAcceptable:
		// The question is not known.
	default:
		if !elsewhere {
			q.refusal = u.asRefusal(response)
		}
	}
	// The connection can be used again once all of a short response was read.
	_, _ = io.CopyN(io.Discard, response.Body, mostWords)
	_ = response.Body.Close()
}
