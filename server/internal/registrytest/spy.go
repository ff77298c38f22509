package registrytest

import (
	"context"
	"io"
	"strings"
	"sync"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// Spy sees what is done with a driver, and may refuse it.
type Spy struct {
	storagedriver.StorageDriver
	// Before is called before an action on a path.
	Before func(action, path string) error

	mutex sync.Mutex
	seen  []string
}

// NewSpy returns a spy that refuses nothing yet.
func NewSpy(driver storagedriver.StorageDriver) *Spy {
	return &Spy{StorageDriver: driver, Before: func(string, string) error { return nil }}
}

func (s *Spy) note(action, path string) error {
	s.mutex.Lock()
	s.seen = append(s.seen, action+" "+path)
	s.mutex.Unlock()
	return s.Before(action, path)
}

// Count returns how often an action was done below a folder.
func (s *Spy) Count(action, folder string) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	n := 0
	for _, each := range s.seen {
		if strings.HasPrefix(each, action+" "+folder) {
			n++
		}
	}
	return n
}

func (s *Spy) GetContent(ctx context.Context, path string) ([]byte, error) {
	if err := s.note("get", path); err != nil {
		return nil, err
	}
	return s.StorageDriver.GetContent(ctx, path)
}

func (s *Spy) PutContent(ctx context.Context, path string, content []byte) error {
	if err := s.note("put", path); err != nil {
		return err
	}
	return s.StorageDriver.PutContent(ctx, path, content)
}

func (s *Spy) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	if err := s.note("read", path); err != nil {
		return nil, err
	}
	return s.StorageDriver.Reader(ctx, path, offset)
}

func (s *Spy) Writer(ctx context.Context, path string, again bool) (storagedriver.FileWriter, error) {
	if err := s.note("write", path); err != nil {
		return nil, err
	}
	return s.StorageDriver.Writer(ctx, path, again)
}

func (s *Spy) Move(ctx context.Context, from, to string) error {
	if err := s.note("move", to); err != nil {
		return err
	}
	return s.StorageDriver.Move(ctx, from, to)
}

func (s *Spy) Delete(ctx context.Context, path string) error {
	if err := s.note("delete", path); err != nil {
		return err
	}
	return s.StorageDriver.Delete(ctx, path)
}

func (s *Spy) List(ctx context.Context, path string) ([]string, error) {
	if err := s.note("list", path); err != nil {
		return nil, err
	}
	return s.StorageDriver.List(ctx, path)
}
