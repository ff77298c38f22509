package server

import (
	"net"
	"net/http"
	"time"

	"github.com/distribution/distribution/v3/health"

	"container-registry/server/internal/access"
	"container-registry/server/internal/bounds"
	"container-registry/server/internal/disk"
	"container-registry/server/internal/metrics"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/store"
)

// listenDebug is for health and metrics, which have an address of their own.
func (s *Server) listenDebug() (err error) {
	if s.debugListener, err = net.Listen("tcp", s.config.HTTP.Debug.Addr); err != nil {
		return err
	}
	s.debug = &http.Server{
		ReadHeaderTimeout: readHeaderTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog(s.log),
	}
	return nil
}

// debugLimits are separate from the registry's, so that a flood of requests there does not keep Prometheus out.
// By default, Prometheus waits ten seconds for a response.
var debugLimits = bounds.Limits{Connections: 64, Requests: 48, Loud: 8, Patience: 10 * time.Second, Rest: time.Second}

// withMetrics counts the requests to next, and makes the debug server serve health and metrics. Unlike the
// engine's, it leaves out /debug/vars, where the engine publishes its whole configuration, including secrets.
func (s *Server) withMetrics(next http.Handler, controller *access.Controller) http.Handler {
	if s.debug == nil {
		return next
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/health", health.StatusHandler)
	limits := bounds.New(debugLimits)
	s.debugListener = limits.Protect(s.debug, s.debugListener)
	s.debug.Handler = limits.Handler(mux, http.HandlerFunc(bounds.TooMany))
	settings := s.config.HTTP.Debug.Prometheus
	if !settings.Enabled {
		return next
	}
	if settings.Path == "" {
		settings.Path = "/metrics"
	}
	requests := metrics.CountRequests(s.config.HTTP.Prefix)
	mux.Handle(settings.Path, metrics.Handler(s.sources(requests, controller)))
	return requests.Handler(next)
}

func (s *Server) sources(requests *metrics.Requests, controller *access.Controller) metrics.Sources {
	sources := metrics.Sources{Requests: requests, Holdings: s.holdings, Collector: s.collector, Audit: s.audit, Notifications: s.notifier, Folder: s.disk()}
	if controller != nil {
		sources.Logins = controller.Logins
	}
	if s.certificate != nil {
		sources.Expires = s.certificate.Expires
	}
	if s.storeHealth != nil {
		sources.Store = s.storeHealth.Up
	}
	if mirror.Is(s.config) {
		sources.Upstream = s.upstream.State
		if s.cacheBound != nil {
			sources.Evicted = s.cacheBound.Evicted
		}
	}
	return sources
}

// disk is the folder of the store, nil if the store is not on this machine.
func (s *Server) disk() *disk.Folder {
	if folder := store.Of(s.config).Folder(); folder != "" {
		return disk.In(folder)
	}
	return nil
}
