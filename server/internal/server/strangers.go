package server

import (
	"net/http"
	"strings"

	"container-registry/server/internal/access"
	"container-registry/server/internal/accesslog"
	"container-registry/server/internal/logging"
	"container-registry/server/internal/paths"
)

// roomForStrangers leaves out of the access log most of what those send in a flood who have no login and
// get nothing of the registry's: refusals, and the page where they could log in. Where nobody logs in there
// are no strangers.
func (s *Server) roomForStrangers(controller *access.Controller) accesslog.Room {
	if controller == nil {
		return func(*http.Request, int) bool { return true }
	}
	few := logging.NewFew(s.log, "requests without a login")
	registry := paths.API(s.config.HTTP.Prefix)
	return func(r *http.Request, status int) bool {
		// Before anybody asks who it is, paths are put right, and pages elsewhere told what they may do.
		told := status == http.StatusMovedPermanently || r.Method == http.MethodOptions
		served := status < http.StatusBadRequest && !told && strings.HasPrefix(r.URL.Path, registry)
		return served || few.Take()
	}
}
