package notify

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"path"
	"slices"
	"time"

	"container-registry/server/internal/config"
	"container-registry/server/internal/layout"
)

const (
	// patience is how long an endpoint has to answer, including the time to connect.
	patience = 10 * time.Second
	// mostOfAnswer is how much of an answer is read, so that the connection can be used again.
	mostOfAnswer  = 64 << 10
	mostOfHeaders = 64 << 10
)

// newClient makes a client that follows no redirect: the events, and the secrets in the headers, are
// only for the endpoint in the configuration.
func newClient(authorities string) *http.Client {
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: patience}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           2,
		IdleConnTimeout:        time.Minute,
		MaxResponseHeaderBytes: mostOfHeaders,
	}
	if authorities != "" {
		transport.TLSClientConfig.RootCAs = x509.NewCertPool()
		// The text was checked when the configuration was read.
		transport.TLSClientConfig.RootCAs.AppendCertsFromPEM([]byte(authorities))
	}
	return &http.Client{
		Transport:     transport,
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// wants says whether an endpoint is notified of an action in a repository.
func wants(endpoint config.Notification, action, repository string) bool {
	return (len(endpoint.Actions) == 0 || slices.Contains(endpoint.Actions, action)) && config.Covers(endpoint.Repositories, repository)
}

// folderOf is where the events for an endpoint wait.
func folderOf(endpoint string) string { return path.Join(layout.Events, endpoint) }
