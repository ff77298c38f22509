// Package garbage removes blobs that no manifest refers to.
package garbage

import (
	"context"
	"errors"
	"fmt"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"

	_ "container-registry/image/internal/storage"
)

// repositories is where the engine keeps what was pushed.
const repositories = "/docker/registry/v2/repositories"

// Collect marks and sweeps. Nothing may be pushed meanwhile.
func Collect(ctx context.Context, config *configuration.Configuration, options storage.GCOpts) error {
	driver, err := factory.Create(ctx, config.Storage.Type(), config.Storage.Parameters())
	if err != nil {
		return fmt.Errorf("storage.%s: %w", config.Storage.Type(), err)
	}
	var nothing storagedriver.PathNotFoundError
	if _, err := driver.Stat(ctx, repositories); errors.As(err, &nothing) {
		// The engine calls it an error when nothing was ever pushed.
		return nil
	}
	registry, err := storage.NewRegistry(ctx, driver)
	if err != nil {
		return fmt.Errorf("storage.%s: %w", config.Storage.Type(), err)
	}
	return storage.MarkAndSweep(ctx, driver, registry, options)
}
