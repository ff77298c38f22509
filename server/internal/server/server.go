// Package server runs the engine behind an HTTP server that can replace its
// certificate and ends without cutting off transfers.
package server

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/listener"
	"github.com/distribution/distribution/v3/tracing"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/access"
	"container-registry/server/internal/audit"
	"container-registry/server/internal/bounds"
	"container-registry/server/internal/certificate"
	"container-registry/server/internal/clientaddress"
	"container-registry/server/internal/config"
	"container-registry/server/internal/descriptors"
	"container-registry/server/internal/fair"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage"
	"container-registry/server/internal/guard"
	"container-registry/server/internal/heavy"
	"container-registry/server/internal/holdings"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/notify"
	"container-registry/server/internal/proxied"
	"container-registry/server/internal/storehealth"
)

// Server is a registry that listens.
type Server struct {
	config        *configuration.Configuration
	log           *logrus.Entry
	app           *handlers.App
	storeHealth   *storehealth.Check // none unless it is wanted
	caches        *descriptors.Cache
	collector     *garbage.Collector
	holdings      *holdings.Holdings
	upstream      *mirror.Upstream // of a mirror
	cacheBound    *mirror.Bound    // of a mirror that has one
	ui            site             // none unless it is wanted
	audit         *audit.Log
	notifier      *notify.Sender
	endApp        context.CancelFunc
	http          *http.Server
	limits        *bounds.Guard
	listener      net.Listener
	proxied       net.Listener // where forwarders connect, if there are any
	debug         *http.Server
	debugListener net.Listener
	certificate   *certificate.Reloader
}

// New builds the server and starts to listen. Nothing is answered before Run. upstream is the one that was
// prepared for the configuration of a mirror.
func New(config *configuration.Configuration, own config.Server, upstream *mirror.Upstream, log *logrus.Entry) (*Server, error) {
	s := &Server{config: config, upstream: upstream, log: log, limits: bounds.New(bounds.OfProcess(log))}
	if err := s.prepareHTTP(); err != nil {
		return nil, err
	}
	// Not the context of Run: the engine reports itself unhealthy when its context
	// ends, and requests are still answered while the server drains.
	ctx, cancel := context.WithCancel(context.Background())
	s.endApp = cancel
	if err := s.build(ctx, own); err != nil {
		cancel()
		s.stopListening()
		return nil, err
	}
	return s, nil
}

// build makes the engine with all that is around it, and listens.
func (s *Server) build(ctx context.Context, own config.Server) (err error) {
	origins := takeCrossOrigin(s.config.HTTP.Headers)
	controller, err := access.New(s.config, s.log)
	if err != nil {
		return err
	}
	around := s.aroundRegistry
	if mirror.Is(s.config) {
		around = s.aroundMirror
	} else if s.caches, err = descriptors.Take(s.config, s.log); err != nil {
		return err
	}
	if err := guard.Fits(s.config, bounds.Memory()); err != nil {
		return err
	}
	storeGuard := guard.New(s.config, bounds.Memory(), s.log)
	storeGuard.Place(s.config)
	if mirror.Is(s.config) {
		mirror.Place(s.config, s.log)
	}
	storeGuard.Quiet(logrus.StandardLogger())
	fence.Quiet(logrus.StandardLogger())
	access.Quiet(logrus.StandardLogger(), s.log)
	s.storeHealth = storehealth.Take(s.config)
	if s.app, err = newEngine(ctx, s.config); err != nil {
		return err
	}
	if s.storeHealth != nil {
		s.storeHealth.Run(ctx, storeGuard.Driver())
	}
	traced := tracingWanted()
	if traced {
		if err := tracing.InitOpenTelemetry(ctx); err != nil {
			return fmt.Errorf("OTEL_TRACES_EXPORTER: %w", err)
		}
	}
	if err := s.listen(); err != nil {
		return err
	}
	engine, err := around(ctx, own, storeGuard, controller)
	if err != nil {
		return err
	}
	chain := handlerChain(lists(fair.Handler(heavy.PlacesOf(bounds.Memory()).Handler(engine)), s.config.HTTP.Prefix, s.config.Catalog.MaxEntries), s.config, s.storeHealth.Failing, s.roomForStrangers(controller), origins, s.ui, traced)
	// A page of another site must be able to see that it is refused, and when to come back.
	refuse := origins.handler(http.HandlerFunc(bounds.TooMany))
	handler := s.limits.Handler(clientaddress.Handler(own.TrustedProxies, chain), refuse)
	s.http.Handler = s.withMetrics(handler, controller)
	return nil
}

// tracingWanted is false by default, because the engine's tracing would send to a collector on localhost, and
// log an error whenever there is none.
func tracingWanted() bool {
	exporter := os.Getenv("OTEL_TRACES_EXPORTER")
	return exporter != "" && exporter != "none"
}

func (s *Server) listen() error {
	var err error
	if s.listener, err = listener.NewListener(s.config.HTTP.Net, s.config.HTTP.Addr); err != nil {
		return fmt.Errorf("http.addr: %w", err)
	}
	if s.config.HTTP.Debug.Addr == "" {
		return nil
	}
	if err = s.listenDebug(); err != nil {
		return fmt.Errorf("http.debug.addr: %w", err)
	}
	return nil
}

// stopListening is for a server that can't be built.
func (s *Server) stopListening() {
	for _, each := range []net.Listener{s.listener, s.debugListener} {
		if each != nil {
			each.Close()
		}
	}
}

// ListenProxied lets forwarders that have this server's http.secret connect to an address of their own, where
// they tell about their clients. It must be called before Run.
func (s *Server) ListenProxied(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	s.proxied = proxied.Listener(listener, proxied.KeyOf(s.config.HTTP.Secret))
	return nil
}

// Addr is the address it listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }
