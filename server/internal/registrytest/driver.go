// Package registrytest serves registries in tests, and pushes to and pulls from them.
package registrytest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
)

const driverName = "test"

func init() { factory.Register(driverName, drivers) }

// drivers are the drivers that tests made: a configuration can only hold a name.
var drivers = &sharedDrivers{byName: map[string]storagedriver.StorageDriver{}}

type sharedDrivers struct {
	mutex  sync.Mutex
	byName map[string]storagedriver.StorageDriver
}

func (s *sharedDrivers) Create(_ context.Context, parameters map[string]any) (storagedriver.StorageDriver, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	driver, ok := s.byName[fmt.Sprint(parameters["name"])]
	if !ok {
		return nil, fmt.Errorf("no driver was made for %v", parameters["name"])
	}
	return driver, nil
}

// Config returns a configuration whose storage is this driver.
func Config(t testing.TB, driver storagedriver.StorageDriver) *configuration.Configuration {
	drivers.mutex.Lock()
	defer drivers.mutex.Unlock()
	name := fmt.Sprintf("%s-%d", t.Name(), len(drivers.byName))
	drivers.byName[name] = driver
	c := &configuration.Configuration{Storage: configuration.Storage{
		driverName: {"name": name},
		"delete":   {"enabled": true},
		"maintenance": {
			"uploadpurging": map[any]any{"enabled": false},
		},
	}}
	c.Log.AccessLog.Disabled = true
	c.Catalog.MaxEntries = 1000
	return c
}

// Parse reads a configuration without its first line.
func Parse(t testing.TB, yaml string) *configuration.Configuration {
	t.Helper()
	c, err := configuration.Parse(strings.NewReader("version: 0.1\n" + yaml))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ReadOnly makes a configuration read-only.
func ReadOnly(c *configuration.Configuration) *configuration.Configuration {
	c.Storage["maintenance"]["readonly"] = map[any]any{"enabled": true}
	return c
}
