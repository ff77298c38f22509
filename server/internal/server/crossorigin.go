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
	// every goes with every answer to such a page, preflight with those to a browser that
	// asks, before it sends a request, whether the page may.
	every, preflight http.Header
}

// takeCrossOrigin takes it out of http.headers: the engine would name all origins in one
// answer, which browsers don't take, and none where it does not answer itself.
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

// handler answers preflights without the login that browsers never send with them.
func (c crossOrigin) handler(next http.Handler) http.Handler {
	if len(c.origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		allowed := c.allowed(r.Header.Get("Origin"))
		if allowed != "*" {
			// No cache may give the answer to one page to another.
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

// allowed is what an answer names; nothing for a page that may not, or for no page.
func (c crossOrigin) allowed(origin string) string {
	switch {
	case slices.Contains(c.origins, "*"):
		return "*"
	case slices.Contains(c.origins, origin):
		return origin
	}
	return ""
}
