package mirror

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"

	"github.com/distribution/distribution/v3/registry/api/errcode"

	"container-registry/server/internal/heavy"
	"container-registry/server/internal/manifest"
)

// All that is no blob the engine reads into memory, however much the upstream sends.
const (
	// mostOfAnswer is what a manifest may have where it is pushed.
	mostOfAnswer = manifest.MostBytes
	// mostOfTags is for all pages of a list together, each of which the engine keeps something of.
	mostOfTags = 16 << 20
	perPage    = 8 << 10
	// mostOfError is more than its words.
	mostOfError = 64 << 10
	// mostOfHeader is of an answer.
	mostOfHeader = 32 << 10
)

var tooMuch = &refusal{
	code: errcode.ErrorCodeUnavailable,
	kind: "the upstream sends too much",
	text: fmt.Sprintf("the upstream sends too much: more than %d MiB for a manifest, or %d MiB for a list of tags", mostOfAnswer>>20, mostOfTags>>20),
}

// kinds are what a path can ask a repository for.
var kinds = []string{"blobs", "manifests", "referrers", "tags"}

// kindOf is one of kinds, or something else for other paths.
func kindOf(urlPath string) string { return path.Base(path.Dir(urlPath)) }

// began is the request that the engine made, of one that the upstream has sent elsewhere.
func began(r *http.Request) *http.Request {
	for r.Response != nil {
		r = r.Response.Request
	}
	return r
}

// isContent says whether a blob's bytes are asked for. That it is a blob is the client's word:
// the upstream chooses where tokens are, and where a list of tags goes on. A question for a
// token has a query.
func (h *heard) isContent(r *http.Request) bool {
	first := began(r).URL
	return r.Method == http.MethodGet && h.kind == "blobs" && kindOf(first.Path) == "blobs" && first.RawQuery == ""
}

// bound has the answer to a request end, or fail, where it becomes too much.
func (h *heard) bound(r *http.Request, response *http.Response) {
	body := response.Body
	switch {
	case response.StatusCode >= http.StatusBadRequest:
		response.Body = changed{io.LimitReader(body, mostOfError), body}
	case h.isContent(r):
	case h.kind == "tags":
		h.tags += perPage
		response.Body = changed{&counted{body, &h.tags, mostOfTags, h}, body}
		if h.paged {
			endEmptyPage(response)
		}
	default:
		body = heavy.Reader(r.Context(), body)
		response.Body = changed{&counted{body, new(int64), mostOfAnswer, h}, body}
	}
}

// counted fails when it has given too much.
type counted struct {
	io.Reader
	given *int64
	most  int64
	heard *heard
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if *c.given += int64(n); *c.given > c.most {
		c.heard.refusal = tooMuch
		return 0, tooMuch
	}
	return n, err
}

// endEmptyPage takes the link to another page from one without tags, of which the engine would
// look at the last.
func endEmptyPage(response *http.Response) {
	var page struct{ Tags []json.RawMessage }
	if json.Unmarshal(peek(response, mostOfTags), &page) == nil && len(page.Tags) == 0 {
		response.Header.Del("Link")
	}
}
