package transfer

import (
	"io"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/store"
)

// filled is a store with a registry in it, and what that registry serves.
func filled(t *testing.T) (storagedriver.StorageDriver, []string) {
	t.Helper()
	driver := inmemory.New()
	client := registrytest.Serve(t, registrytest.Config(t, driver))
	client.Fill(t)
	return driver, client.Pulled(t)
}

// between runs a transfer from a read-only registry.
func between(t *testing.T, from, to storagedriver.StorageDriver, options Options) (*Report, error) {
	t.Helper()
	if options.Workers == 0 {
		options.Workers = 4
	}
	options.Progress, options.Interval = io.Discard, 1<<40
	return Run(t.Context(), registrytest.ReadOnly(registrytest.Config(t, from)), registrytest.Config(t, to), options)
}

func pulled(t *testing.T, driver storagedriver.StorageDriver) []string {
	t.Helper()
	return registrytest.Serve(t, registrytest.Config(t, driver)).Pulled(t)
}

// files are all files of a store.
func files(t *testing.T, driver storagedriver.StorageDriver) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := driver.Walk(t.Context(), "/", func(info storagedriver.FileInfo) error {
		if info.IsDir() {
			return nil
		}
		content, err := driver.GetContent(t.Context(), info.Path())
		all[info.Path()] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func storeOf(t *testing.T, driver storagedriver.StorageDriver) *store.Store {
	return store.Of(registrytest.Config(t, driver))
}
