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
	// These bound what HTTP/2 takes of bodies that nobody reads yet, such as those of requests that wait for
	// the check of a password.
	maxStreams = 100
	// Over a long line, the speed of a push depends on how much of it may be in flight. Streams that wait must
	// not use up what their connection may hold, or the streams that they wait for would get no more. net/http
	// ignores values of 4 MiB and more.
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

// prepareHTTP sets no IdleTimeout. If an HTTP/2 connection ended before its first request, net/http would hold
// all its state for that long. Connections without requests are bounded in bounds.
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
