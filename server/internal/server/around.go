package server

import (
	"context"
	"net/http"
	"time"

	"container-registry/server/internal/access"
	"container-registry/server/internal/bounds"
	"container-registry/server/internal/config"
	"container-registry/server/internal/descriptors"
	"container-registry/server/internal/dialect"
	"container-registry/server/internal/download"
	"container-registry/server/internal/foreign"
	"container-registry/server/internal/garbage"
	"container-registry/server/internal/guard"
	"container-registry/server/internal/holdings"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/referrers"
	"container-registry/server/internal/turns"
	"container-registry/server/internal/writes"
)

// aroundMirror makes what surrounds the engine of a mirror. Pulls fill its store, so no collection may touch
// it, and nobody logs in there.
func (s *Server) aroundMirror(_ context.Context, own config.Server, storeGuard *guard.Guard, _ *access.Controller) (http.Handler, error) {
	prefix := s.config.HTTP.Prefix
	var observers []func(mirror.Pull, time.Time)
	shrunk := func() {}
	if s.debug != nil || own.UI.Enabled {
		s.holdings = holdings.Of(storeGuard.Driver(), storeGuard.Log())
		shrunk = s.holdings.Refresh
		observers = append(observers, s.countFetched)
	}
	if own.UI.Enabled {
		var pulls mirror.Pulls
		s.ui = s.newMirrorPage(own, storeGuard, &pulls)
		observers = append(observers, pulls.Note)
	}
	if most := own.Mirror.MaxBytes; most > 0 {
		s.cacheBound = mirror.NewBound(storeGuard.Driver(), most, shrunk, storeGuard.Log())
		observers = append(observers, s.cacheBound.Note)
	}
	pulled := func(p mirror.Pull) {
		for _, observe := range observers {
			observe(p, time.Now())
		}
	}
	everybody := func(http.ResponseWriter, *http.Request, string) bool { return true }
	matched := dialect.Unmatched(s.app, func(http.ResponseWriter, *http.Request) bool { return true }, s.config.HTTP)
	completed := referrers.Route(download.Handler(matched, descriptors.Size), everybody, mirror.Referrers(s.app, prefix), s.config.HTTP)
	handler := s.upstream.Handler(storeGuard.Handler(completed), prefix, pulled)
	if s.cacheBound != nil {
		handler = s.cacheBound.Handler(handler, prefix)
	}
	return dialect.Handler(handler, s.config.HTTP), nil
}

// countFetched makes a repository be counted again after something was fetched for it.
func (s *Server) countFetched(p mirror.Pull, _ time.Time) {
	if p.Fetched {
		s.holdings.Changed(p.Repository)
	}
}

// aroundRegistry makes what surrounds the engine of a registry. From the inside outwards, that is: what the
// engine does not know or takes for something else, the fence of garbage collections, the observers of writes,
// and access control.
func (s *Server) aroundRegistry(ctx context.Context, own config.Server, storeGuard *guard.Guard, controller *access.Controller) (http.Handler, error) {
	prefix := s.config.HTTP.Prefix
	gate := func(http.ResponseWriter, *http.Request, string) bool { return true }
	entrance := func(http.ResponseWriter, *http.Request) bool { return true }
	if controller != nil {
		gate, entrance = controller.LetPull, controller.LetIn
	}
	matched := dialect.Unmatched(s.app, entrance, s.config.HTTP)
	completed := foreign.Handler(descriptors.Handler(download.Handler(matched, descriptors.Size), storeGuard.Driver(), prefix), s.config.Validation)
	lists := turns.New(bounds.Memory())
	lister := referrers.NewLister(storeGuard.Driver(), lists)
	guarded := storeGuard.Handler(referrers.Route(completed, gate, referrers.Of(lister, storeGuard.Log()), s.config.HTTP))

	collector, fence, err := garbage.Open(ctx, s.config, processName(s.Addr()), s.caches, s.log)
	if err != nil {
		return nil, err
	}
	s.collector = collector
	var observers []writes.Observer
	if s.debug != nil || own.UI.Enabled {
		s.holdings = holdings.Of(storeGuard.Driver(), storeGuard.Log()).Share()
		collector.AfterEach(s.holdings.Refresh)
		observers = append(observers, s.holdings.Observe)
	}
	if s.audit, err = openAudit(own, controller, s.log); err != nil {
		return nil, err
	}
	if own.UI.Enabled {
		ui := s.newPage(storeGuard, controller, fence, lists)
		s.ui = ui
		observers = append(observers, ui.Observe)
	}
	engine := s.reported(dialect.Handler(fence.Handler(guarded, prefix), s.config.HTTP), own, storeGuard, observers)
	engine = referrers.Unlist(engine, lister, prefix, storeGuard.Log())
	if controller == nil {
		return engine, nil
	}
	if s.audit != nil {
		engine = writes.Refusals(engine, prefix, s.audit.ObserveRefusal)
		guarded = writes.Refusals(guarded, prefix, s.audit.ObserveRefusal)
	}
	return controller.Handler(engine, guarded), nil
}
