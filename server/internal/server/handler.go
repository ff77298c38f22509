package server

import (
	"fmt"
	"net/http"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/health"
	"github.com/distribution/distribution/v3/registry/api/errcode"
	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"

	"container-registry/server/internal/accesslog"
	"container-registry/server/internal/download"
	"container-registry/server/internal/output"
)

// handlerChain wraps the engine in the same order as the engine's own server. ui is nil if there is no page.
func handlerChain(engine http.Handler, config *configuration.Configuration, failing checks, room accesslog.Room, origins crossOrigin, ui site, traced bool) http.Handler {
	handler := origins.handler(whileReady(failing, download.Redirects(config), engine))
	if ui != nil {
		handler = ui.Around(handler)
	}
	if !config.Log.AccessLog.Disabled {
		handler = accesslog.Handler(output.Stdout, config.Log.Formatter, room, handler)
	}
	handler = answerHealth(health.CheckStatus, handler)
	if ui != nil {
		handler = ui.Entrance(handler)
	}
	handler = refuseLongPaths(config.HTTP.Prefix, refuseUserInURL(handler))
	if traced {
		handler = otelhttp.NewHandler(handler, "", otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			return r.Method + " " + r.URL.Path
		}))
	}
	return handler
}

// refuseUserInURL keeps passwords out of the logs, which repeat the request line.
// No client of a registry sends user:password@ there.
func refuseUserInURL(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.User != nil {
			http.Error(w, "credentials in the request line are not allowed", http.StatusBadRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// longestPath is more than that of a manifest with the longest name and digest there may be.
const longestPath = 1 << 10

// refuseLongPaths refuses paths that nothing here can have. Otherwise, even before a login, every router would
// compare them: a header full of such a path takes a tenth of a second.
func refuseLongPaths(prefix string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.Path) > len(prefix)+longestPath {
			// The client is gone when this fails.
			_ = errcode.ServeJSON(w, v2.ErrorCodeNameInvalid.WithMessage(fmt.Sprintf("a path has at most %d bytes", longestPath)))
			return
		}
		next.ServeHTTP(w, r)
	})
}
