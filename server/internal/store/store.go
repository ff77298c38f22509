// Package store describes the storage of a configuration in plain words, and says what is
// wrong with it when its driver fails.
package store

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"strconv"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"

	"container-registry/server/internal/config"
	"container-registry/server/internal/traits"
)

// Store is the place where a registry keeps its data.
type Store struct {
	place
	storage configuration.Storage
	secrets []string
}

// Of is the store of a configuration. Nothing is opened yet.
func Of(c *configuration.Configuration) *Store {
	return &Store{
		place:   placeOf(c.Storage.Type(), c.Storage.Parameters()),
		storage: c.Storage,
		secrets: config.Secrets(c),
	}
}

// Open creates the driver; most drivers do not ask their server anything yet. ctx must
// live as long as the driver is used, since some fetch their tokens with it.
func (s *Store) Open(ctx context.Context) (storagedriver.StorageDriver, error) {
	driver, err := factory.Create(ctx, s.storage.Type(), s.storage.Parameters())
	if err != nil {
		return nil, s.Failure(Open, err)
	}
	return Steady(driver), nil
}

// largestCopy is the largest object that S3 copies as a whole, and the largest threshold that its driver accepts.
const largestCopy = 5 << 30

// InParts is the same store with a driver that copies everything in parts, as S3's does with objects above a
// threshold. It is nil for other drivers, and if the threshold is the largest that can be set.
func (s *Store) InParts() *Store {
	const threshold = "multipartcopythresholdsize"
	driver, parameters := s.storage.Type(), maps.Clone(s.storage.Parameters())
	if driver != "s3" && driver != "s3aws" || fmt.Sprint(parameters[threshold]) == strconv.Itoa(largestCopy) {
		return nil
	}
	parameters[threshold] = 0
	copied := *s
	copied.storage = maps.Clone(s.storage)
	copied.storage[driver] = parameters
	return &copied
}

// ReadOnly says whether the configuration lets nobody push to or delete from the registry.
func (s *Store) ReadOnly() bool {
	readOnly, _ := s.storage["maintenance"]["readonly"].(map[any]any)
	enabled, _ := readOnly["enabled"].(bool)
	return enabled
}

// Folder is the folder of this machine that the data is in. It is empty if the data is elsewhere.
func (s *Store) Folder() string {
	if !traits.Of[s.driver].Folder {
		return ""
	}
	return s.name
}

// Same says whether both stores are one place, as far as the configurations show.
func (s *Store) Same(other *Store) bool {
	return s.storage.Type() == other.storage.Type() &&
		reflect.DeepEqual(s.storage.Parameters(), other.storage.Parameters())
}
