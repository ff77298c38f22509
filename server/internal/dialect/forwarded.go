package dialect

import (
	"net/http"
	"strings"
)

// forwarded has the engine see how the client spoke to the first of several proxies: it
// takes a list of their words for one, and puts that into addresses.
func forwarded(r *http.Request) *http.Request {
	const name = "X-Forwarded-Proto"
	first, _, list := strings.Cut(r.Header.Get(name), ",")
	if !list {
		return r
	}
	r = r.Clone(r.Context())
	r.Header.Set(name, strings.TrimSpace(first))
	return r
}
