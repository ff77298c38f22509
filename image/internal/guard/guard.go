// Package guard goes around the engine's storage driver, for what is the same with every
// store: what is there and what is not.
package guard

import (
	"context"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	storagemiddleware "github.com/distribution/distribution/v3/registry/storage/driver/middleware"
)

const name = "guard"

func init() {
	err := storagemiddleware.Register(name, func(_ context.Context, driver storagedriver.StorageDriver, _ map[string]any) (storagedriver.StorageDriver, error) {
		return exact{driver}, nil
	})
	if err != nil {
		panic(err)
	}
}

// Place tells the engine to put the guard around its driver.
func Place(config *configuration.Configuration) {
	config.Middleware = map[string][]configuration.Middleware{"storage": {{Name: name}}}
}
