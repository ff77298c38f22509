package fence

import (
	"context"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/store"
)

// patient is for requests of clients, who are told in time that the store gives no answer. The guard, which
// has others told, does not stand before this one.
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
