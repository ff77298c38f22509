// Package storehealth checks from the start whether the store answers. The engine's own check
// starts later, and calls a store healthy that it has not asked yet, or not often enough.
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
	// soon is the time after which a store that did not answer the first questions is asked again: the network
	// of a container that has just started may not be ready.
	soon = time.Second
)

var errUnknown = errors.New("the store has not answered yet")

// Check is what is known about the store of a server.
type Check struct {
	// name is the engine's name for its own check.
	name      string
	interval  time.Duration
	threshold int

	mutex sync.Mutex
	last  error
	// failures is the number of failures in a row. The very first answer decides alone: there is no earlier
	// one to which it could be an exception.
	failures int
}

// Take replaces the engine's own check, which it switches off. It is nil if no check is configured.
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

// Run registers the check with the process's health checks, and keeps asking the store until ctx ends.
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

// Update records an answer of the store.
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

// Check fails while the store does not answer, and before its first answer.
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

// Failing are all health checks that fail, except that of a store that has not answered yet: requests that need
// the store will find out.
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
