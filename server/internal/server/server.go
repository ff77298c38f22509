// Package server runs the engine behind an HTTP server that can replace its
// certificate and ends without cutting off transfers.
package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

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
	"container-registry/server/internal/garbage"
	"container-registry/server/internal/guard"
	"container-registry/server/internal/heavy"
	"container-registry/server/internal/holdings"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/notify"
	"container-registry/server/internal/proxied"
	"container-registry/server/internal/version"
)

const (
	// readHeaderTimeout ends connections that send their headers drop by drop. How long
	// bodies may take is said in bounds.
	readHeaderTimeout = 20 * time.Second
	idleTimeout       = 3 * time.Minute
	maxHeaderBytes    = 16 << 10
	// What HTTP/2 takes of bodies that nobody reads yet, such as those of requests that
	// wait for the check of a password.
	maxStreams = 100
	// Over a long line, a push is as fast as much of it may be on its way. Streams that wait must not
	// take all that their connection may have: those that they wait for would get no more. 4 MiB
	// and more is nothing to net/http.
	maxUnreadOfStream  = 256 << 10
	maxUnreadOfSession = 4<<20 - 1
	// defaultDrain is for http.draintimeout 0, where the engine would cut off
	// every transfer. Docker kills a container 10 s after it asks it to stop.
	defaultDrain = 10 * time.Second
)

// Server is a registry that listens.
type Server struct {
	config        *configuration.Configuration
	log           *logrus.Entry
	app           *handlers.App
	caches        *descriptors.Cache
	collector     *garbage.Collector
	holdings      *holdings.Holdings
	bound         *mirror.Bound // of a mirror that has one
	ui            site          // none unless it is wanted
	audit         *audit.Log
	notifier      *notify.Sender
	endApp        context.CancelFunc
	http          *http.Server
	bounds        *bounds.Guard
	listener      net.Listener
	proxied       net.Listener // where forwarders come, if they do
	debug         *http.Server
	debugListener net.Listener
	certificate   *certificate.Reloader
}

// New builds the server and starts to listen; nothing is answered before Run.
func New(config *configuration.Configuration, own config.Server, log *logrus.Entry) (*Server, error) {
	s := &Server{config: config, log: log, bounds: bounds.New(bounds.LimitsOf(bounds.Memory()))}
	if err := s.prepareTLS(); err != nil {
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
	pages := takeCrossOrigin(s.config.HTTP.Headers)
	controller, err := access.New(s.config, s.log)
	if err != nil {
		return err
	}
	around := s.aroundRegistry
	if mirror.Is(s.config) {
		around = s.aroundMirror
	} else if s.caches, err = descriptors.Take(s.config); err != nil {
		return err
	}
	keeper := guard.New(s.config, bounds.Memory(), s.log)
	keeper.Place(s.config)
	if mirror.Is(s.config) {
		mirror.Place(s.config, s.log)
	}
	keeper.Quiet(logrus.StandardLogger())
	if s.app, err = newEngine(ctx, s.config); err != nil {
		return err
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
	engine, err := around(ctx, own, keeper, controller)
	if err != nil {
		return err
	}
	chain := handlerChain(boundPages(heavy.PlacesOf(bounds.Memory()).Handler(engine), s.config.Catalog.MaxEntries), s.config, pages, s.ui, traced)
	// A page of another site is to see that it is refused, and when to come back.
	refuse := pages.handler(http.HandlerFunc(bounds.TooMany))
	handler := s.bounds.Handler(clientaddress.Handler(own.TrustedProxies, chain), refuse)
	s.http.Handler = s.withMetrics(handler, controller)
	return nil
}

// tracingWanted is false by default, where the engine's tracing would send to a
// collector on localhost and log an error whenever there is none.
func tracingWanted() bool {
	exporter := os.Getenv("OTEL_TRACES_EXPORTER")
	return exporter != "" && exporter != "none"
}

func unread() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          maxStreams,
		MaxReceiveBufferPerStream:     maxUnreadOfStream,
		MaxReceiveBufferPerConnection: maxUnreadOfSession,
	}
}

func (s *Server) prepareTLS() error {
	s.http = &http.Server{
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog(s.log),
		Protocols:         protocols(s.config.HTTP),
		HTTP2:             unread(),
	}
	settings := s.config.HTTP.TLS
	if settings.Certificate == "" {
		return nil
	}
	reloader, err := certificate.New(settings.Certificate, settings.Key, s.log)
	if err != nil {
		return err
	}
	s.certificate = reloader
	s.http.TLSConfig, err = tlsConfig(settings, reloader)
	return err
}

func protocols(config configuration.HTTP) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(!config.HTTP2.Disabled)
	p.SetUnencryptedHTTP2(config.H2C.Enabled)
	return p
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

// ListenProxied has forwarders of this server's http.secret reach it at an address of their
// own, where they tell of their clients. To be called before Run.
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

// Run answers requests until ctx ends, then waits for those under way.
func (s *Server) Run(ctx context.Context) error {
	defer s.endApp()
	if s.audit != nil {
		// After the end of collections, which tell it what they deleted.
		defer s.audit.Close()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	s.logStart()
	failed := make(chan error, 3)
	if s.holdings != nil {
		go s.holdings.Run(ctx)
	}
	if s.bound != nil {
		go s.bound.Run(ctx)
	}
	if s.debug != nil {
		go func() { failed <- s.debug.Serve(s.debugListener) }()
		defer s.debug.Close()
	}
	if s.certificate != nil {
		go s.certificate.Watch(ctx)
	}
	for _, listener := range s.listeners() {
		go func() { failed <- s.serve(listener) }()
	}
	collections := s.collect(ctx)
	defer collections.Wait()
	defer cancel()

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return s.drain()
	}
}

// collect begins to take orders for garbage collections, and to keep their schedule. What
// it returns waits for their end, so that no lock is left in the store.
func (s *Server) collect(ctx context.Context) *sync.WaitGroup {
	var group sync.WaitGroup
	if s.collector == nil {
		return &group
	}
	group.Go(func() {
		if err := s.collector.Listen(ctx, s.config); err != nil {
			s.log.WithError(err).Warn("no garbage collection on demand: another server of this configuration runs here")
		}
	})
	group.Go(func() { s.notify(ctx) })
	group.Go(func() {
		if err := s.collector.Run(ctx); err != nil {
			s.log.WithError(err).Error("no garbage collection on schedule")
		}
	})
	return &group
}

// listeners are where clients come, with what they are kept from.
func (s *Server) listeners() []net.Listener {
	var all []net.Listener
	for _, listener := range []net.Listener{s.listener, s.proxied} {
		if listener == nil {
			continue
		}
		if s.certificate != nil {
			listener = explainTLS{listener}
		}
		all = append(all, s.bounds.Protect(s.http, listener))
	}
	return all
}

func (s *Server) serve(listener net.Listener) error {
	if s.certificate == nil {
		return s.http.Serve(listener)
	}
	return s.http.ServeTLS(listener, "", "")
}

func (s *Server) logStart() {
	log := s.log.WithFields(logrus.Fields{
		"version": version.Version,
		"storage": s.config.Storage.Type(),
		"address": s.Addr().String(),
	})
	if s.certificate == nil {
		log.Info("listening without TLS")
		return
	}
	log.WithFields(s.certificate.Fields()).Info("listening with TLS")
}

func (s *Server) drain() error {
	limit := s.config.HTTP.DrainTimeout
	if limit == 0 {
		limit = defaultDrain
	}
	s.log.Infof("stopping; requests under way have %s to finish", limit)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("http.draintimeout: %s: not every request finished in time", limit)
		s.http.Close()
	}
	err = errors.Join(err, s.app.Shutdown())
	if s.caches != nil {
		err = errors.Join(err, s.caches.Close())
	}
	return err
}
