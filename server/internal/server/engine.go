package server

import (
	"context"
	"fmt"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/sirupsen/logrus"

	// The pull-through cache registers itself.
	_ "github.com/distribution/distribution/v3/registry/proxy"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/foreign"
	_ "container-registry/server/internal/storage"
)

// newEngine builds the engine, which panics if it does not accept the configuration.
func newEngine(ctx context.Context, config *configuration.Configuration) (app *handlers.App, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("the engine refuses to start: %v", reason)
		}
	}()
	for _, endpoint := range config.Notifications.Endpoints {
		if len(endpoint.Headers) > 0 {
			// The engine logs the headers of an endpoint, which may be credentials.
			level := logrus.GetLevel()
			logrus.SetLevel(logrus.WarnLevel)
			defer logrus.SetLevel(level)
			break
		}
	}
	foreign.Complete(&config.Validation)
	enginestore.Use(config)
	leaveOutEvents(config)
	defer findBlobs(config)()
	app = handlers.NewApp(ctx, config)
	app.RegisterHealthChecks()
	return app, nil
}

// findBlobs makes the engine ask the driver where blobs are, because package download needs that, even if
// clients are not to be sent to the store. after must be called once the engine has read the setting.
func findBlobs(config *configuration.Configuration) (after func()) {
	wanted := config.Storage["redirect"]
	config.Storage["redirect"] = configuration.Parameters{"disable": false}
	return func() { config.Storage["redirect"] = wanted }
}
