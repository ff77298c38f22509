package server

import (
	"net/http"
	"slices"
)

// answerPreflight lets browsers find out, without the login that they never send with such
// a question, whether pages from elsewhere may use the registry: http.headers says so.
func answerPreflight(headers http.Header, next http.Handler) http.Handler {
	given := http.Header{}
	for name, values := range headers {
		given[http.CanonicalHeaderKey(name)] = values
	}
	if given.Get("Access-Control-Allow-Origin") == "" {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions || r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		for name, values := range given {
			w.Header()[name] = slices.Clone(values)
		}
		w.WriteHeader(http.StatusNoContent)
	})
}
