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
	// pingAfter finds a connection dead on which nothing comes.
	pingAfter = 30 * time.Second
)

// scopes are of the bucket, and of the signatures that a machine without a key asks for.
var scopes = []string{storage.ScopeFullControl, "https://www.googleapis.com/auth/cloud-platform"}

// newTransport is not made from http.DefaultTransport, which in a mirror is another's.
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

// newClient sends all requests, those of uploads too. Each has a token.
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

// newIdentity is that of a service account's key, and without one of the machine.
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
