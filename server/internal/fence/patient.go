package fence

import (
	"context"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/store"
)

// patience is how long a store may take for one small request, as in the guard, which does not stand
// before this one: most drivers would wait for ever.
const patience = 30 * time.Second

// patient is for requests of clients, who are told in time that the store gives no answer.
type patient struct{ storagedriver.StorageDriver }

func (d patient) GetContent(ctx context.Context, path string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return d.StorageDriver.GetContent(limited, path)
}

func (d patient) PutContent(ctx context.Context, path string, content []byte) error {
	limited, cancel := context.WithTimeout(ctx, patience+store.TimeFor(len(content)))
	defer cancel()
	return d.StorageDriver.PutContent(limited, path, content)
}

func (d patient) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return d.StorageDriver.Stat(limited, path)
}
