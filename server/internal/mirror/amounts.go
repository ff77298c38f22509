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

// The engine reads everything but blobs into memory, however much the upstream sends.
const (
	// mostOfAnswer is the size that a manifest may have when it is pushed.
	mostOfAnswer = manifest.MostBytes
	// mostOfTags is for all pages of a list together. The engine keeps something of each page, which perPage
	// accounts for.
	mostOfTags = 16 << 20
	perPage    = 8 << 10
	// mostOfError is more than the words of an error take.
	mostOfError = 64 << 10
	// mostOfHeader is for the header of a response.
	mostOfHeader = 32 << 10
)

var tooMuch = &refusal{
	code: errcode.ErrorCodeUnavailable,
	kind: "the upstream sends too much",
	text: fmt.Sprintf("the upstream sends too much: more than %d MiB for a manifest, or %d MiB for a list of tags", mostOfAnswer>>20, mostOfTags>>20),
}

// kinds are the kinds of content that a path can ask a repository for.
var kinds = []string{"blobs", "manifests", "referrers", "tags"}

// kindOf is one of kinds, or something else for other paths.
func kindOf(urlPath string) string { return path.Base(path.Dir(urlPath)) }

// began returns the request that the engine made, from a request that follows redirects of the upstream.
func began(r *http.Request) *http.Request {
	for r.Response != nil {
		r = r.Response.Request
	}
	return r
}

// isContent says whether a blob's bytes are requested. The client's own request has to be for a blob too,
// because the upstream chooses the address of tokens and of the next page of a list of tags. A request for a
// token has a query.
func (h *heard) isContent(r *http.Request) bool {
	first := began(r).URL
	return r.Method == http.MethodGet && h.kind == "blobs" && kindOf(first.Path) == "blobs" && first.RawQuery == ""
}

// bound makes the response to a request end, or fail, when it becomes too large.
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

// counted fails after it has returned too much.
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

// endEmptyPage removes the link to the next page from a page without tags. The engine would look at the last
// tag of that page.
func endEmptyPage(response *http.Response) {
	var page struct{ Tags []json.RawMessage }
	if json.Unmarshal(peek(response, mostOfTags), &page) == nil && len(page.Tags) == 0 {
		response.Header.Del("Link")
	}
}
