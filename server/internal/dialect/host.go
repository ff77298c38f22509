package dialect

import (
	"net/http"
	"net/url"
)

// staying has clients go on by the name that they came by, to which their login belongs: not by that of
// http.host, which the engine's addresses have, and not by none at all, where a client names no host, as
// HTTP/1.0 lets it. Redirects lead to the store.
type staying struct{ http.ResponseWriter }

func (s staying) WriteHeader(status int) {
	if at, err := url.Parse(s.Header().Get("Location")); err == nil && at.IsAbs() && status < http.StatusMultipleChoices {
		at.Scheme, at.Host = "", ""
		s.Header().Set("Location", at.String())
	}
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (s staying) Unwrap() http.ResponseWriter { return s.ResponseWriter }
