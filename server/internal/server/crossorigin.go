package server

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

const allowOrigin = "Access-Control-Allow-Origin"

// crossOrigin says which pages from elsewhere may have a browser use the registry.
type crossOrigin struct {
	origins []string
	// every is added to every response to such a page. preflight is added to the response to a browser that
	// asks, before it sends a request, whether the page may send it.
	every, preflight http.Header
}

// takeCrossOrigin removes these settings from http.headers. The engine would name all origins in one response,
// which browsers do not accept, and would add nothing to responses that are not its own.
func takeCrossOrigin(headers http.Header) crossOrigin {
	c := crossOrigin{every: http.Header{}, preflight: http.Header{}}
	for given, values := range headers {
		name := http.CanonicalHeaderKey(given)
		if !strings.HasPrefix(name, "Access-Control-") {
			continue
		}
		delete(headers, given)
		switch name {
		case allowOrigin:
			c.origins = values
		case "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age":
			c.preflight[name] = values
		default:
			c.every[name] = values
		}
	}
	return c
}

// handler answers preflights without a login, because browsers never send one with them.
func (c crossOrigin) handler(next http.Handler) http.Handler {
	if len(c.origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := c.allowed(r.Header.Get("Origin"))
		if allowed != "*" {
			// A cache must not give the response for one page to another page.
			w.Header().Add("Vary", "Origin")
		}
		if allowed == "" {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set(allowOrigin, allowed)
		maps.Copy(w.Header(), c.every.Clone())
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		maps.Copy(w.Header(), c.preflight.Clone())
		w.WriteHeader(http.StatusNoContent)
	})
}

// allowed is the origin that a response names. It is empty for a page that is not allowed, and without a page.
func (c crossOrigin) allowed(origin string) string {
	switch {
	case slices.Contains(c.origins, "*"):
		return "*"
	case slices.Contains(c.origins, origin):
		return origin
	}
	return ""
}
