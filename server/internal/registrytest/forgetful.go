package registrytest

import (
	"context"
	"sync"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// Forgetful is a store that once says of one path that it does not exist.
type Forgetful struct {
	storagedriver.StorageDriver
	// Lost is the question, in the form of Asked, that it answers wrongly; empty after that.
	Lost string
	// Asked are the questions that it was asked.
	Asked []string

	mutex sync.Mutex
}

func (f *Forgetful) ask(question, path string) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	question += " " + path
	f.Asked = append(f.Asked, question)
	if f.Lost != question {
		return nil
	}
	f.Lost = ""
	return storagedriver.PathNotFoundError{Path: path}
}

func (f *Forgetful) GetContent(ctx context.Context, path string) ([]byte, error) {
	if err := f.ask("get", path); err != nil {
		return nil, err
	}
	return f.StorageDriver.GetContent(ctx, path)
}

func (f *Forgetful) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	if err := f.ask("stat", path); err != nil {
		return nil, err
	}
	return f.StorageDriver.Stat(ctx, path)
}

func (f *Forgetful) List(ctx context.Context, path string) ([]string, error) {
	if err := f.ask("list", path); err != nil {
		return nil, err
	}
	return f.StorageDriver.List(ctx, path)
}
