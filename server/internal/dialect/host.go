package dialect

import (
	"net/http"
	"strings"
)

// hostless is for a client that names no host, as HTTP/1.0 lets it: the engine's addresses would have
// none either, and lead nowhere. A path does.
type hostless struct{ http.ResponseWriter }

func (h hostless) WriteHeader(status int) {
	if _, path, found := strings.Cut(h.Header().Get("Location"), ":///"); found {
		h.Header().Set("Location", "/"+path)
	}
	h.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (h hostless) Unwrap() http.ResponseWriter { return h.ResponseWriter }
