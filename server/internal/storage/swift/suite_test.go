package swift

import (
	"context"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	"github.com/distribution/distribution/v3/registry/storage/driver/testsuites"
)

// TestSuite runs the engine's own tests for storage drivers. They write and read 5 GiB unless run with -short: with
// segments of 4 MiB, more than a manifest has room for.
func TestSuite(t *testing.T) {
	for name, more := range map[string][]any{
		"root of the container": nil,
		"folder, small segments, redirects": {
			"rootdirectory", "registry/one", "chunksize", 4 << 20, "secretkey", "key of the container", "tempurlcontainerkey", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			parameters := with(newContainer(t), more...)
			testsuites.Driver(t, func() (storagedriver.StorageDriver, error) {
				return factory.Create(context.Background(), driverName, parameters)
			}, false)
		})
	}
}

func BenchmarkSuite(b *testing.B) {
	parameters := newContainer(b)
	testsuites.BenchDriver(b, func() (storagedriver.StorageDriver, error) {
		return factory.Create(context.Background(), driverName, parameters)
	})
}
