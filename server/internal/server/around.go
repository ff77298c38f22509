package server

import (
	"context"
	"net/http"

	"container-registry/server/internal/access"
	"container-registry/server/internal/config"
	"container-registry/server/internal/descriptors"
	"container-registry/server/internal/dialect"
	"container-registry/server/internal/foreign"
	"container-registry/server/internal/garbage"
	"container-registry/server/internal/guard"
	"container-registry/server/internal/holdings"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/referrers"
	"container-registry/server/internal/writes"
)

// aroundMirror is what stands around the engine of a mirror. Its store is filled by pulls, which
// no collection may disturb, and nobody logs in there.
func (s *Server) aroundMirror(_ context.Context, _ config.Server, keeper *guard.Guard, _ *access.Controller) (http.Handler, error) {
	if s.debug != nil {
		s.holdings = holdings.Of(keeper.Driver(), keeper.Log())
	}
	everybody := func(http.ResponseWriter, *http.Request, string) bool { return true }
	completed := referrers.Route(s.app, everybody, mirror.Referrers(s.app, s.config.HTTP.Prefix), s.config.HTTP)
	return dialect.Handler(mirror.Handler(keeper.Handler(completed)), s.config.HTTP.Prefix), nil
}

// aroundRegistry is what stands around the engine of a registry, from the inside: what the engine
// does not know or takes for something else, the fence of garbage collections, those who watch
// what is written, and who may do what.
func (s *Server) aroundRegistry(ctx context.Context, own config.Server, keeper *guard.Guard, controller *access.Controller) (http.Handler, error) {
	prefix := s.config.HTTP.Prefix
	gate := func(http.ResponseWriter, *http.Request, string) bool { return true }
	if controller != nil {
		gate = controller.LetPull
	}
	completed := foreign.Handler(descriptors.Handler(s.app, keeper.Driver(), prefix), s.config.Validation)
	guarded := keeper.Handler(referrers.Route(completed, gate, referrers.Of(referrers.NewLister(keeper.Driver()), s.log), s.config.HTTP))

	collector, fence, err := garbage.Open(ctx, s.config, processName(s.Addr()), s.caches, s.log)
	if err != nil {
		return nil, err
	}
	s.collector = collector
	var observers []writes.Observer
	if s.debug != nil || own.UI.Enabled {
		s.holdings = holdings.Of(keeper.Driver(), keeper.Log())
		collector.AfterEach(s.holdings.Refresh)
		observers = append(observers, s.holdings.Observe)
	}
	if own.UI.Enabled {
		s.ui = s.newPage(keeper, controller)
		observers = append(observers, s.ui.Observe)
	}
	engine, err := s.reported(dialect.Handler(fence.Handler(guarded, prefix), prefix), own, keeper, controller, observers)
	if err != nil || controller == nil {
		return engine, err
	}
	return controller.Handler(engine, guarded), nil
}
