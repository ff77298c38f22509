package access

import (
	"context"
	"io"
	"maps"
	"net/http"

	"container-registry/server/internal/fair"
)

// decision travels with a request through the engine and back.
type decision struct {
	principal *principal
	// failure is why there is no principal.
	failure error
	// denial replaces the 401 that the engine answers.
	denial *denial
	// filtersCatalog is set when the answer is filtered before it is sent.
	filtersCatalog bool
	// mayForgetMount is set when the request can be repeated without its mount;
	// mountRefused when the mount is the only reason to refuse it.
	mayForgetMount, mountRefused bool
}

// Handler goes around the engine, for those that may log in. All others it sends to
// refusing, the engine without what is around it: nobody without a login may have the
// store asked for anything.
func (c *Controller) Handler(engine, refusing http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == c.tokenPath {
			c.serveToken(w, r)
			return
		}
		users := c.source.Users()
		d := &decision{principal: visitor(r.Context(), users)}
		unknown := c.identify(r, d, users) != nil
		if !unknown {
			fair.By(r.Context(), d.principal.user)
		}
		switch {
		case unknown:
			serve(refusing, w, r, d)
		case r.URL.Path == c.pingPath && r.Method == http.MethodGet:
			c.servePing(w)
		case r.URL.Path == c.catalogPath:
			c.serveCatalog(engine, w, r, d)
		case r.Method == http.MethodPost && r.URL.Query().Has("from"):
			serveMount(engine, w, r, d)
		default:
			serve(engine, w, r, d)
		}
	})
}

func serve(engine http.Handler, w http.ResponseWriter, r *http.Request, d *decision) {
	engine.ServeHTTP(&writer{ResponseWriter: w, decision: d}, r.WithContext(context.WithValue(r.Context(), contextKey{}, d)))
}

// servePing answers the request that clients send before any other, as it asks for
// nothing but who they are. The engine takes twice as long.
func (c *Controller) servePing(w http.ResponseWriter) {
	for name, values := range c.headers {
		for _, value := range values {
			w.Header().Add(name, value)
		}
	}
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	w.Header().Set("Content-Type", "application/json")
	// The client is gone when this fails.
	_, _ = io.WriteString(w, "{}")
}

// serveMount starts an upload that would rather mount a blob of another repository.
// When the user may not pull from that one, the upload goes on without the mount: the
// specification calls it a wish, and not every client takes a refusal well.
func serveMount(engine http.Handler, w http.ResponseWriter, r *http.Request, d *decision) {
	before := w.Header().Clone()
	d.mayForgetMount = true
	serve(engine, w, r, d)
	if !d.mountRefused {
		return
	}
	clear(w.Header())
	maps.Copy(w.Header(), before)
	plain := r.Clone(r.Context())
	query := plain.URL.Query()
	query.Del("from")
	query.Del("mount")
	plain.URL.RawQuery = query.Encode()
	// Otherwise the engine would look for them in the body.
	plain.Form = query
	serve(engine, w, plain, &decision{principal: d.principal})
}

// writer puts the denial in the place of what the engine answers.
type writer struct {
	http.ResponseWriter
	decision *decision
	denied   bool
}

func (w *writer) WriteHeader(status int) {
	d := w.decision
	switch {
	case d.mountRefused:
	case d.denial == nil:
		w.ResponseWriter.WriteHeader(status)
	case !w.denied:
		w.denied = true
		d.denial.write(w.ResponseWriter)
	}
}

func (w *writer) Write(content []byte) (int, error) {
	if w.decision.denial == nil && !w.decision.mountRefused {
		return w.ResponseWriter.Write(content)
	}
	w.WriteHeader(http.StatusForbidden)
	return len(content), nil
}
