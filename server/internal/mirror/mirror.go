// Package mirror completes the engine's pull-through cache: it starts without its
// upstream, does not wait for one that is away, and forgets nothing that is to expire.
package mirror

import (
	"context"
	"math"
	"net"
	"net/http"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/logging"
	"container-registry/server/internal/store"
)

// Is tells whether a configuration is one of a pull-through cache.
func Is(c *configuration.Configuration) bool { return c.Proxy.RemoteURL != "" }

// Prepare is called once, before the engine is made, and changes the configuration that the engine reads. file
// is where the configuration came from.
func Prepare(ctx context.Context, c *configuration.Configuration, file string, log *logrus.Entry) (*Upstream, error) {
	upstream := newUpstream(c.Proxy.RemoteURL, log)
	// A helper that the user has configured is asked when it is needed.
	upstream.anonymous = c.Proxy.Username == "" && c.Proxy.Exec == nil
	if err := useHelper(c, file); err != nil {
		return nil, err
	}
	// The engine knows no other way to choose how it speaks to the upstream.
	http.DefaultTransport = transportTo(upstream)
	c.Proxy.RemoteURL += eachTime
	engine := logrus.StandardLogger()
	engine.SetFormatter(logging.Without(engine.Formatter, isNone))
	c.Proxy.CacheWriteTimeout = patience(c.Proxy.CacheWriteTimeout)
	driver, err := store.Of(c).Open(ctx)
	if err != nil {
		return nil, err
	}
	if err := sweep(ctx, driver); err != nil {
		log.WithError(err).Warn("mirror: not all that an earlier one left behind could be deleted")
	}
	return upstream, tidy(ctx, c, driver, log)
}

// transportTo makes an upstream an *http.Transport. Drivers of stores clone the default transport, and panic if
// it is of another type. Such a clone does not use the upstream.
func transportTo(u *Upstream) *http.Transport {
	usual := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     90 * time.Second,
		Protocols:           new(http.Protocols),
	}
	// HTTP/2 would register a protocol of its own for https.
	usual.Protocols.SetHTTP1(true)
	usual.RegisterProtocol("http", u)
	usual.RegisterProtocol("https", u)
	return usual
}

// patience is the time that a layer may take to come from the upstream. If the configuration sets none, that is
// as long as a client waits. The engine would cut it off after five minutes.
func patience(configured *time.Duration) *time.Duration {
	if configured != nil && *configured > 0 {
		return configured
	}
	return new(time.Duration(math.MaxInt64))
}
