// Package mirror completes the engine's pull-through cache: it starts without its
// upstream, does not wait for one that is away, and forgets nothing that is to expire.
package mirror

import (
	"context"
	"net/http"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"
)

// Is tells whether a configuration is one of a pull-through cache.
func Is(c *configuration.Configuration) bool { return c.Proxy.RemoteURL != "" }

// Prepare is called once, before the engine is made; file is where the configuration
// came from.
func Prepare(ctx context.Context, c *configuration.Configuration, file string, log *logrus.Entry) error {
	if err := useHelper(c, file); err != nil {
		return err
	}
	// The engine knows no other way to choose how it speaks to the upstream.
	http.DefaultTransport = newUpstream(c.Proxy.RemoteURL, log)
	engine := logrus.StandardLogger()
	engine.SetFormatter(quiet{engine.Formatter})
	return tidy(ctx, c, log)
}
