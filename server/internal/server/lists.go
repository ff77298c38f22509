package server

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"container-registry/server/internal/paths"
)

// lists completes the engine's lists of repositories and tags. The engine serves them only to GET, and refuses
// (400) a number that does not fit into an int. Here HEAD is answered like GET: net/http leaves out the
// content. A client that asks for more repositories than a page has gets a full page and the link to the next.
// The engine does the same for tags.
func lists(engine http.Handler, prefix string, most int) http.Handler {
	api := paths.API(prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ofRepositories := r.URL.Path == api+"_catalog"
		if ofRepositories || strings.HasPrefix(r.URL.Path, api) && strings.HasSuffix(r.URL.Path, "/tags/list") {
			asked := *r
			if r.Method == http.MethodHead {
				asked.Method = http.MethodGet
			}
			query := r.URL.Query()
			// For a number that does not fit, Atoi returns the largest int.
			n, err := strconv.Atoi(query.Get("n"))
			large := n > 0 && errors.Is(err, strconv.ErrRange)
			if ofRepositories && n > most {
				n, large = most, true
			}
			if large {
				query.Set("n", strconv.Itoa(n))
				asked.URL = &url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
			}
			r = &asked
		}
		engine.ServeHTTP(w, r)
	})
}
