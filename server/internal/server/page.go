package server

import (
	"net/http"

	"container-registry/server/internal/access"
	"container-registry/server/internal/config"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/guard"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/page"
	"container-registry/server/internal/referrers"
	"container-registry/server/internal/turns"
)

// site is a page that has its own place before the engine.
type site interface {
	// Around answers below the page's path, and Entrance leads browsers there.
	Around(engine http.Handler) http.Handler
	Entrance(next http.Handler) http.Handler
}

// newMirrorPage is what people see of a mirror.
func (s *Server) newMirrorPage(own config.Server, storeGuard *guard.Guard, pulls *mirror.Pulls) *page.Mirror {
	return page.NewMirror(s.config, page.MirrorParts{
		Holdings: s.holdings,
		Disk:     s.disk(),
		Pulled:   pulls.Last,
		Upstream: s.upstream.State,
		Use:      mirror.UseSoFar,
		Most:     own.Mirror.MaxBytes,
		Log:      storeGuard.Log(),
	})
}

// newPage is what people see of this server in a browser.
func (s *Server) newPage(storeGuard *guard.Guard, controller *access.Controller, fence *fence.Fence, lists *turns.Turns) *page.Page {
	parts := page.Parts{
		Access:    controller,
		Driver:    storeGuard.Driver(),
		Turns:     lists,
		Referrers: referrers.NewLister(storeGuard.Driver(), lists),
		Holdings:  s.holdings,
		Collector: s.collector,
		Fence:     fence,
		Failing:   s.storeHealth.Failing,
		Disk:      s.disk(),
		Log:       storeGuard.Log(),
	}
	if s.audit != nil {
		parts.Audit = s.audit
	}
	return page.New(s.config, parts)
}
