package server

import (
	"net/http"
	"time"

	"github.com/distribution/distribution/v3/configuration"

	"container-registry/server/internal/certificate"
)

const (
	// readHeaderTimeout ends connections that send their headers drop by drop. How long
	// bodies may take is said in bounds.
	readHeaderTimeout = 20 * time.Second
	maxHeaderBytes    = 16 << 10
	// What HTTP/2 takes of bodies that nobody reads yet, such as those of requests that
	// wait for the check of a password.
	maxStreams = 100
	// Over a long line, a push is as fast as much of it may be on its way. Streams that wait must not
	// take all that their connection may have: those that they wait for would get no more. 4 MiB
	// and more is nothing to net/http.
	maxUnreadOfStream  = 256 << 10
	maxUnreadOfSession = 4<<20 - 1
)

func http2Config() *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          maxStreams,
		MaxReceiveBufferPerStream:     maxUnreadOfStream,
		MaxReceiveBufferPerConnection: maxUnreadOfSession,
	}
}

// prepareHTTP has no IdleTimeout: for as long net/http would hold all that it knows of a connection of
// HTTP/2 that ended before a request on it. Connections that ask nothing are bounded in bounds.
func (s *Server) prepareHTTP() error {
	s.http = &http.Server{
		ReadHeaderTimeout: readHeaderTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          errorLog(s.log),
		Protocols:         protocols(s.config.HTTP),
		HTTP2:             http2Config(),
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
