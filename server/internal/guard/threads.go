package guard

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/traits"
)

// defaultThreads is the engine's own.
const defaultThreads = 100

// threads bounds what waits for a disk at once, as each takes a thread: Go ends a process
// that may have no more, and a disk or a server of files may stand still. The engine bounds
// what opens files, but for those of uploads, and not what reads and writes them.
type threads struct {
	storagedriver.StorageDriver
	places chan struct{}
}

// withThreads is for a store that is a folder.
func withThreads(driver storagedriver.StorageDriver, storage configuration.Storage) storagedriver.StorageDriver {
	if !traits.Of[storage.Type()].Folder {
		return driver
	}
	most, err := strconv.Atoi(fmt.Sprint(storage.Parameters()["maxthreads"]))
	if err != nil {
		most = defaultThreads
	}
	return threads{driver, make(chan struct{}, most)}
}

func (d threads) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	reader, err := d.StorageDriver.Reader(ctx, path, offset)
	if err != nil {
		return nil, err
	}
	return threadReader{reader, thread{ctx, d.places}}, nil
}

func (d threads) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	t := thread{ctx, d.places}
	if err := t.take(); err != nil {
		return nil, err
	}
	defer t.leave()
	writer, err := d.StorageDriver.Writer(ctx, path, appendMode)
	if err != nil {
		return nil, err
	}
	return threadWriter{writer, t}, nil
}

// thread is what an open file needs to be read or written.
type thread struct {
	ctx    context.Context
	places chan struct{}
}

// take waits for a place, and only who has to wait may be told that its time is over.
func (t thread) take() error {
	select {
	case t.places <- struct{}{}:
		return nil
	default:
	}
	select {
	case t.places <- struct{}{}:
		return nil
	case <-t.ctx.Done():
		return context.Cause(t.ctx)
	}
}

func (t thread) leave() { <-t.places }

type threadReader struct {
	io.ReadCloser
	thread thread
}

func (r threadReader) Read(p []byte) (int, error) {
	if err := r.thread.take(); err != nil {
		return 0, err
	}
	defer r.thread.leave()
	return r.ReadCloser.Read(p)
}

type threadWriter struct {
	storagedriver.FileWriter
	thread thread
}

func (w threadWriter) Write(p []byte) (int, error) {
	if err := w.thread.take(); err != nil {
		return 0, err
	}
	defer w.thread.leave()
	return w.FileWriter.Write(p)
}

func (w threadWriter) Commit(ctx context.Context) error {
	if err := w.thread.take(); err != nil {
		return err
	}
	defer w.thread.leave()
	return w.FileWriter.Commit(ctx)
}

// Close writes what is left, also for a client that is gone.
func (w threadWriter) Close() error {
	w.thread.places <- struct{}{}
	defer w.thread.leave()
	return w.FileWriter.Close()
}
