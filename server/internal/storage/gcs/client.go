package gcs

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/httptransport"
	"cloud.google.com/go/storage"
)

const (
	connectTimeout = 10 * time.Second
	tokenTimeout   = 30 * time.Second
	// pingAfter is the time of silence after which a ping tests whether a connection is dead.
	pingAfter = 30 * time.Second
)

// scopes are needed for the bucket, and for the signatures that a machine without a key asks for.
var scopes = []string{storage.ScopeFullControl, "https://www.googleapis.com/auth/cloud-platform"}

// newTransport does not clone http.DefaultTransport, which a mirror replaces.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: connectTimeout,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 100,
		IdleConnTimeout:     90 * time.Second,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: pingAfter},
	}
}

// newClient returns the client for all requests, those of upload sessions too. It adds a token to each.
func newClient(p *Options, transport http.RoundTripper, identity *auth.Credentials) (*http.Client, error) {
	headers := http.Header{}
	if p.UserAgent != "" {
		headers.Set("User-Agent", p.UserAgent)
	}
	return httptransport.NewClient(&httptransport.Options{
		Credentials:      identity,
		BaseRoundTripper: answers{transport},
		Headers:          headers,
	})
}

// newIdentity is the identity of the configured service account or, without a key, of the machine.
func newIdentity(p *Options, transport http.RoundTripper) (*auth.Credentials, error) {
	asked := &credentials.DetectOptions{Scopes: scopes, Client: &http.Client{Transport: transport, Timeout: tokenTimeout}}
	var key []byte
	var err error
	switch {
	case p.KeyFile != "":
		key, err = os.ReadFile(p.KeyFile)
	case p.Credentials != nil:
		key, err = json.Marshal(p.Credentials)
	default:
		return credentials.DetectDefault(asked)
	}
	if err != nil {
		return nil, err
	}
	return credentials.NewCredentialsFromJSON(credentials.ServiceAccount, key, asked)
}
