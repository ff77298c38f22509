// Package garbage removes blobs that no manifest refers to.
package garbage

import (
	"context"
	"fmt"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"

	_ "container-registry/image/internal/storage"
)

// Collect marks and sweeps. Nothing may be pushed meanwhile.
func Collect(ctx context.Context, config *configuration.Configuration, options storage.GCOpts) error {
	driver, err := factory.Create(ctx, config.Storage.Type(), config.Storage.Parameters())
	if err != nil {
		return fmt.Errorf("storage.%s: %w", config.Storage.Type(), err)
	}
	registry, err := storage.NewRegistry(ctx, driver)
	if err != nil {
		return fmt.Errorf("storage.%s: %w", config.Storage.Type(), err)
	}
	return storage.MarkAndSweep(ctx, driver, registry, options)
}
