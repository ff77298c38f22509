// Package storage brings in every storage driver of this server; each registers
// itself under the name it has in the configuration.
package storage

import (
	_ "github.com/distribution/distribution/v3/registry/storage/driver/azure"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/gcs"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/s3-aws"
	// What one of them lacks.
	_ "container-registry/server/internal/storage/s3"
	// Drivers that the engine no longer has.
	_ "container-registry/server/internal/storage/oss"
	_ "container-registry/server/internal/storage/swift"
)
