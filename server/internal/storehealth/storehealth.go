// Package storehealth asks the store from the start on whether it answers. The engine's own check
// asks later, and calls a store well that it has not asked yet, or not often enough.
package storehealth

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/health"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/wait"
)

const (
	// defaultInterval is the engine's.
	defaultInterval = 10 * time.Second
	// soon is when a store that did not answer a server's first questions is asked again: the network
	// of a container that starts may not be ready.
	soon = time.Second
)

var errUnknown = errors.New("the store has not answered yet")

// Check is what is known of the store of a server.
type Check struct {
	// name is what the engine calls its own.
	name      string
	interval  time.Duration
	threshold int

	mutex sync.Mutex
	last  error
	// failures are those in a row. The first answer of all decides by itself: there is none before
	// from which it could be an exception.
	failures int
}

// Take leaves the engine without a check of its own. It is nil unless one is wanted.
func Take(config *configuration.Configuration) *Check {
	wanted := config.Health.StorageDriver
	if !wanted.Enabled {
		return nil
	}
	config.Health.StorageDriver.Enabled = false
	c := &Check{name: "storagedriver_" + config.Storage.Type(), interval: wanted.Interval, threshold: max(wanted.Threshold, 1), last: errUnknown}
	if c.interval == 0 {
		c.interval = defaultInterval
	}
	c.failures = c.threshold - 1
	return c
}

// Run is one of the process's health checks until ctx ends.
func (c *Check) Run(ctx context.Context, driver storagedriver.StorageDriver) {
	health.Register(c.name, c)
	ask := health.CheckFunc(func(ctx context.Context) error {
		if _, err := driver.Stat(ctx, "/"); err != nil && !layout.IsMissing(err) {
			return err
		}
		return nil
	})
	go func() {
		for range c.threshold {
			err := ask(ctx)
			c.Update(err)
			if err == nil {
				break
			}
			if wait.For(ctx, min(soon, c.interval)) != nil {
				return
			}
		}
		health.Poll(ctx, c, ask, c.interval)
	}()
}

// Update takes note of an answer.
func (c *Check) Update(err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.last = err
	if err == nil {
		c.failures = 0
	} else {
		c.failures++
	}
}

// Check fails while the store does not answer, and before it has.
func (c *Check) Check(context.Context) error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.last == errUnknown || c.failures >= c.threshold {
		return c.last
	}
	return nil
}

// Up says whether the store answers, once that is known.
func (c *Check) Up() (up, known bool) {
	err := c.Check(context.Background())
	return err == nil, err != errUnknown
}

// Failing are all health checks that fail, but for one of a store that is not known yet: who needs
// it finds out.
func (c *Check) Failing(ctx context.Context) map[string]string {
	known := true
	if c != nil {
		_, known = c.Up()
	}
	failing := health.CheckStatus(ctx)
	if !known {
		delete(failing, c.name)
	}
	return failing
}
