package foreign

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"path"

	"github.com/distribution/distribution/v3/configuration"

	"container-registry/server/internal/manifest"
)

// Handler goes around the engine, which takes the error of a body for one of the manifest.
func Handler(engine http.Handler, validation configuration.Validation) http.Handler {
	rules := rulesOf(validation)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && path.Base(path.Dir(r.URL.Path)) == "manifests" {
			r = r.WithContext(r.Context())
			r.Body = &body{client: r.Body, rules: rules}
		}
		engine.ServeHTTP(w, r)
	})
}

// body looks at a manifest when all of it was read.
type body struct {
	client io.ReadCloser
	rules  rules
	read   bytes.Buffer
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.client.Read(p)
	if b.read.Len() <= manifest.MostBytes {
		b.read.Write(p[:n])
	}
	if errors.Is(err, io.EOF) {
		if refused := b.rules.check(b.read.Bytes()); refused != nil {
			return n, refused
		}
	}
	return n, err
}

func (b *body) Close() error { return b.client.Close() }
