package fence

import (
	"context"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/store"
)

// patient limits the time of requests to the store, so that clients are told in time that it gives no answer.
// Other users of the store get that from the guard, which does not stand in front of this driver.
type patient struct{ storagedriver.StorageDriver }

func (d patient) GetContent(ctx context.Context, path string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, store.Patience)
	defer cancel()
	return d.StorageDriver.GetContent(limited, path)
}

func (d patient) PutContent(ctx context.Context, path string, content []byte) error {
	limited, cancel := context.WithTimeout(ctx, store.Patience+store.TimeFor(len(content)))
	defer cancel()
	return d.StorageDriver.PutContent(limited, path, content)
}

func (d patient) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	limited, cancel := context.WithTimeout(ctx, store.Patience)
	defer cancel()
	return d.StorageDriver.Stat(limited, path)
}
