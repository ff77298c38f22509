package garbage

import (
	"context"
	"errors"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/store"
)

// errMirror is why a pull-through cache has no collection.
var errMirror = errors.New("this is a pull-through cache: what it holds expires after proxy.ttl, and nothing else may be deleted")

// errReadOnly is why a registry in which nobody may delete does not collect either.
var errReadOnly = errors.New("the registry is set read-only (storage.maintenance.readonly), so nothing is deleted; a dry run is allowed")

// Open makes the collector of a process with this name, and its fence.
func Open(ctx context.Context, config *configuration.Configuration, name string, caches fence.Generations, log *logrus.Entry) (*Collector, *fence.Fence, error) {
	if config.Proxy.RemoteURL != "" {
		return nil, nil, errMirror
	}
	options, err := OptionsOf(config)
	if err != nil {
		return nil, nil, err
	}
	opened := store.Of(config)
	driver, err := opened.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	f := fence.New(driver, name, fence.TimingOf(config.Storage.Type()), caches)
	c := New(driver, f, options, log)
	c.store, c.readOnly = opened, opened.ReadOnly()
	return c, f, nil
}
