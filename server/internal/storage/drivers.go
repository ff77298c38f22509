// Package storage brings in every storage driver of this server; each registers
// itself under the name it has in the configuration.
package storage

import (
	"context"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/azure"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/s3-aws"
	// These add what some of the engine's drivers lack.
	"container-registry/server/internal/storage/azure"
	"container-registry/server/internal/storage/s3"
	// This one replaces the engine's.
	_ "container-registry/server/internal/storage/gcs"
	// Drivers that the engine no longer has.
	_ "container-registry/server/internal/storage/oss"
	_ "container-registry/server/internal/storage/swift"
)

// Complete adds what one of the engine's drivers lacks, if its client does not provide that by itself.
func Complete(driver storagedriver.StorageDriver) storagedriver.StorageDriver {
	if driver.Name() == "azure" {
		return azure.Around(driver)
	}
	return driver
}

// mover is a driver's writer that moves only what it has committed, and nothing that another server has put in its
// place.
type mover interface {
	Move(ctx context.Context, from, to string) error
}

// Move moves what a writer has committed. If the writer is nil or can't tell what it has committed, Move moves
// whatever is there.
func Move(ctx context.Context, driver storagedriver.StorageDriver, writer storagedriver.FileWriter, from, to string) error {
	if m, ok := writer.(mover); ok {
		return m.Move(ctx, from, to)
	}
	return driver.Move(ctx, from, to)
}

// Single adds what one of the engine's drivers lacks if other servers may write to the same upload.
func Single(driver storagedriver.StorageDriver) storagedriver.StorageDriver {
	if driver.Name() == "s3aws" {
		return s3.Around(driver)
	}
	return driver
}
