package server

import (
	"net/http"
	"strings"

	"container-registry/server/internal/access"
	"container-registry/server/internal/accesslog"
	"container-registry/server/internal/logging"
	"container-registry/server/internal/paths"
)

// roomForStrangers keeps a flood of requests without a login from filling the access log. It leaves out most of
// those that get nothing of the registry's: refusals, and the page to log in. If nobody logs in, there are no
// strangers.
func (s *Server) roomForStrangers(controller *access.Controller) accesslog.Room {
	if controller == nil {
		return func(*http.Request, int) bool { return true }
	}
	few := logging.NewFew(s.log, "requests without a login")
	registry := paths.API(s.config.HTTP.Prefix)
	return func(r *http.Request, status int) bool {
		// Both are answered before the login is checked: a redirect to the right path, and the question of a
		// browser what another site's page may do.
		told := status == http.StatusMovedPermanently || r.Method == http.MethodOptions
		served := status < http.StatusBadRequest && !told && strings.HasPrefix(r.URL.Path, registry)
		return served || few.Take()
	}
}
