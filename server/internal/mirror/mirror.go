// Package mirror completes the engine's pull-through cache: it starts without its
// upstream, does not wait for one that is away, and forgets nothing that is to expire.
package mirror

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/logging"
	"container-registry/server/internal/store"
)

// Is tells whether a configuration is one of a pull-through cache.
func Is(c *configuration.Configuration) bool { return c.Proxy.RemoteURL != "" }

// Prepare is called once, before the engine is made; file is where the configuration
// came from.
func Prepare(ctx context.Context, c *configuration.Configuration, file string, log *logrus.Entry) error {
	upstream := newUpstream(c.Proxy.RemoteURL, log)
	// A helper of somebody's own is asked when it is needed.
	upstream.anonymous = c.Proxy.Username == "" && c.Proxy.Exec == nil
	if err := useHelper(c, file); err != nil {
		return err
	}
	// The engine knows no other way to choose how it speaks to the upstream.
	http.DefaultTransport = upstream
	c.Proxy.RemoteURL += eachTime
	engine := logrus.StandardLogger()
	engine.SetFormatter(logging.Without(engine.Formatter, isNone))
	c.Proxy.CacheWriteTimeout = patience(c.Proxy.CacheWriteTimeout)
	driver, err := store.Of(c).Open(ctx)
	if err != nil {
		return err
	}
	if err := sweep(ctx, driver); err != nil {
		log.WithError(err).Warn("mirror: not all that an earlier one left behind could be deleted")
	}
	return tidy(ctx, c, driver, log)
}

// patience is for how long a layer may come from the upstream: as long as a client waits for it,
// where the configuration doesn't say. The engine would cut it off after five minutes.
func patience(configured *time.Duration) *time.Duration {
	if configured != nil && *configured > 0 {
		return configured
	}
	return new(time.Duration(math.MaxInt64))
}
