package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/garbage/control"
	"container-registry/server/internal/version"
)

// defaultDrain is used for http.draintimeout 0, with which the engine would cut off every transfer. Docker
// kills a container 10 s after asking it to stop.
const defaultDrain = 10 * time.Second

// Run answers requests until ctx ends, then waits for those under way.
func (s *Server) Run(ctx context.Context) error {
	defer s.endApp()
	if s.audit != nil {
		// It is closed after the end of collections, which tell it what they deleted.
		defer s.audit.Close()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	s.logStart()
	failed := make(chan error, 3)
	if s.holdings != nil {
		// This comes after the last clients and the end of collections.
		defer s.holdings.TellRest()
		go s.holdings.Run(ctx)
	}
	if s.cacheBound != nil {
		go s.cacheBound.Run(ctx)
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

// collect begins to take orders for garbage collections, and to keep their schedule. The group that it returns
// ends with them: waiting for it ensures that no lock is left in the store.
func (s *Server) collect(ctx context.Context) *sync.WaitGroup {
	var group sync.WaitGroup
	if s.collector == nil {
		return &group
	}
	group.Go(func() {
		if err := control.Listen(ctx, s.config, s.collector, s.log); err != nil {
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

// listeners are the listeners for clients, with the limits that clients are held to.
func (s *Server) listeners() []net.Listener {
	var all []net.Listener
	for _, listener := range []net.Listener{s.listener, s.proxied} {
		if listener == nil {
			continue
		}
		if s.certificate != nil {
			listener = explainTLS{listener}
		}
		all = append(all, s.limits.Protect(s.http, listener))
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
