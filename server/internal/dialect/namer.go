package dialect

import (
	"net/http"
	"strings"

	"github.com/opencontainers/go-digest"
)

// namer puts the client's digest of a blob where the engine's is, which has the algorithm
// by which the engine keeps it.
type namer struct {
	http.ResponseWriter
	digest digest.Digest
	done   bool
}

func (n *namer) WriteHeader(status int) {
	if !n.done && status >= http.StatusOK {
		n.done = true
		n.rename(status)
	}
	n.ResponseWriter.WriteHeader(status)
}

func (n *namer) rename(status int) {
	const name = "Docker-Content-Digest"
	engines := n.Header().Get(name)
	if engines == "" {
		return
	}
	n.Header().Set(name, n.digest.String())
	if location := n.Header().Get("Location"); status == http.StatusCreated {
		n.Header().Set("Location", strings.Replace(location, engines, n.digest.String(), 1))
	}
}

func (n *namer) Write(content []byte) (int, error) {
	if !n.done {
		n.WriteHeader(http.StatusOK)
	}
	return n.ResponseWriter.Write(content)
}

// Unwrap is for http.ResponseController.
func (n *namer) Unwrap() http.ResponseWriter { return n.ResponseWriter }
