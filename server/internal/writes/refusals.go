package writes

import (
	"context"
	"net/http"
	"time"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"

	"container-registry/server/internal/access"
	"container-registry/server/internal/status"
)

// Refusals wraps the engine, inside the handler that finds out who the client is, and tells of writes
// that are refused because the client has no right to them. It asks the store for nothing.
// The prefix is http.prefix.
func Refusals(engine http.Handler, prefix string, observe Observer) http.Handler {
	h := &handler{router: v2.RouterWithPrefix(prefix)}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if write, ok := h.begin(r); ok {
			w = status.Watch(w, func(code int) {
				reason := access.RefusalOf(r.Context())
				if code != http.StatusUnauthorized && code != http.StatusForbidden || reason == "" {
					return
				}
				write.Time, write.Reason = time.Now(), reason
				observe(context.WithoutCancel(r.Context()), write)
			})
		}
		engine.ServeHTTP(w, r)
	})
}
