package server

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// boundPages gives a client that asks for more repositories than a page has a full page
// and the link to the next. The engine does so for tags, and refuses it for repositories.
func boundPages(engine http.Handler, most int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/v2/_catalog") {
			query := r.URL.Query()
			if n, err := strconv.Atoi(query.Get("n")); err == nil && n > most {
				query.Set("n", strconv.Itoa(most))
				bounded := *r
				bounded.URL = &url.URL{Path: r.URL.Path, RawQuery: query.Encode()}
				r = &bounded
			}
		}
		engine.ServeHTTP(w, r)
	})
}
