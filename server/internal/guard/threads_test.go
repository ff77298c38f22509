package guard

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
)

// stuck is a disk that stands still until it goes on.
type stuck struct {
	storagedriver.StorageDriver
	goOn   chan struct{}
	inside *atomic.Int32
}

func (d stuck) wait() {
	d.inside.Add(1)
	defer d.inside.Add(-1)
	<-d.goOn
}

func (d stuck) Reader(context.Context, string, int64) (io.ReadCloser, error) {
	return stuckFile{stuck: d}, nil
}

func (d stuck) Writer(context.Context, string, bool) (storagedriver.FileWriter, error) {
	return stuckFile{stuck: d}, nil
}

type stuckFile struct {
	storagedriver.FileWriter
	stuck stuck
}

func (f stuckFile) Read([]byte) (int, error) {
	f.stuck.wait()
	return 0, io.EOF
}

func (f stuckFile) Write(p []byte) (int, error) {
	f.stuck.wait()
	return len(p), nil
}

func (f stuckFile) Commit(context.Context) error {
	f.stuck.wait()
	return nil
}

func (f stuckFile) Close() error {
	f.stuck.wait()
	return nil
}

// acts are what waits for a disk.
var acts = map[string]func(ctx context.Context, driver storagedriver.StorageDriver) error{
	"read": func(ctx context.Context, driver storagedriver.StorageDriver) error {
		reader, err := driver.Reader(ctx, "/a", 0)
		if err != nil {
			return err
		}
		_, err = io.ReadAll(reader)
		return err
	},
	"write": func(ctx context.Context, driver storagedriver.StorageDriver) error {
		writer, err := driver.Writer(ctx, "/a", false)
		if err != nil {
			return err
		}
		_, err = writer.Write([]byte("a"))
		return err
	},
	"commit": func(ctx context.Context, driver storagedriver.StorageDriver) error {
		writer, err := driver.Writer(ctx, "/a", false)
		if err != nil {
			return err
		}
		return writer.Commit(ctx)
	},
	"close": func(ctx context.Context, driver storagedriver.StorageDriver) error {
		writer, err := driver.Writer(ctx, "/a", false)
		if err != nil {
			return err
		}
		return writer.Close()
	},
}

// TestThreads keeps most of what waits for a disk out of the operating system, where each
// would take a thread. Who waits there may leave.
func TestThreads(t *testing.T) {
	for name, act := range acts {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := stuck{inmemory.New(), make(chan struct{}), new(atomic.Int32)}
				driver := withThreads(disk, configuration.Storage{"filesystem": {"maxthreads": 25}})
				ctx, cancel := context.WithCancel(t.Context())
				var left atomic.Int32
				var all sync.WaitGroup
				for range 1000 {
					all.Go(func() {
						if act(ctx, driver) != nil {
							left.Add(1)
						}
					})
				}
				synctest.Wait()
				if n := disk.inside.Load(); n != 25 {
					t.Errorf("%d wait for the disk", n)
				}
				cancel()
				synctest.Wait()
				if n := left.Load(); n != 975 && name != "close" {
					t.Errorf("%d have left", n)
				}
				close(disk.goOn)
				all.Wait()
			})
		})
	}
}

// TestThreadsAreFree has a context end before a disk that keeps nobody waiting is used: a mirror
// writes for as long as its upstream sends.
func TestThreadsAreFree(t *testing.T) {
	disk := stuck{inmemory.New(), make(chan struct{}), new(atomic.Int32)}
	close(disk.goOn)
	driver := withThreads(disk, configuration.Storage{"filesystem": {}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, act := range acts {
		for range 100 {
			if err := act(ctx, driver); err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
	}
}
