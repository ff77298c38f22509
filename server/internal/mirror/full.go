package mirror

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	storagemiddleware "github.com/distribution/distribution/v3/registry/storage/driver/middleware"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

const (
	name          = "mirror"
	noticedOption = "noticed"
)

func init() {
	err := storagemiddleware.Register(name, func(_ context.Context, driver storagedriver.StorageDriver, options map[string]any) (storagedriver.StorageDriver, error) {
		return lenient{driver, options[noticedOption].(func(error) bool)}, nil
	})
	if err != nil {
		panic(err)
	}
}

// Place makes the engine serve what a full store cannot keep. It wraps the middleware that is configured
// already.
func Place(c *configuration.Configuration, log *logrus.Entry) {
	own := configuration.Middleware{Name: name, Options: configuration.Parameters{noticedOption: fullness(store.Of(c), log)}}
	c.Middleware["storage"] = append(c.Middleware["storage"], own)
}

// fullness returns a function that tells the error of a full store from others, and logs it now and then.
func fullness(s *store.Store, log *logrus.Entry) func(error) bool {
	var mutex sync.Mutex
	var told time.Time
	return func(err error) bool {
		if err == nil {
			return false
		}
		failure := s.Failure(store.Write, err)
		if failure.Fault != store.Full {
			return false
		}
		mutex.Lock()
		defer mutex.Unlock()
		if time.Since(told) >= silence {
			told = time.Now()
			log.Warnf("mirror: what is pulled is served, and not kept: %s", failure)
		}
		return true
	}
}

// lenient is the store of a cache. It does not let a pull fail because there is no room to keep the content. If
// only the link to a manifest could be kept, the engine later finds the manifest missing, and fetches it again.
type lenient struct {
	storagedriver.StorageDriver
	// full says whether an error is one of a full store.
	full func(error) bool
}

func (d lenient) GetContent(ctx context.Context, file string) ([]byte, error) {
	content, err := d.StorageDriver.GetContent(ctx, file)
	if err == nil && layout.IsTag(file) {
		heardOf(ctx).remember(digest.Digest(content))
	}
	return content, err
}

func (d lenient) PutContent(ctx context.Context, file string, content []byte) error {
	err := d.StorageDriver.PutContent(ctx, file, content)
	// The engine's list of what is to expire is outside of layout.Root: the engine tries again to write it.
	if strings.HasPrefix(file, layout.Root+"/") && d.full(err) {
		return nil
	}
	return err
}

func (d lenient) Writer(ctx context.Context, file string, appended bool) (storagedriver.FileWriter, error) {
	writer, err := d.StorageDriver.Writer(ctx, file, appended)
	if d.full(err) {
		return &lenientWriter{failed: true}, nil
	}
	if err != nil {
		return nil, err
	}
	return &lenientWriter{FileWriter: writer, full: d.full}, nil
}

// errUnkept ends a blob that there is no room for. The client has received all of it before.
var errUnkept = errors.New("the cache has no room for it")

// lenientWriter accepts what it cannot keep, and fails only when that is to be committed. FileWriter is nil if
// none could be opened.
type lenientWriter struct {
	storagedriver.FileWriter
	failed    bool
	committed bool
	full      func(error) bool
}

func (w *lenientWriter) Write(p []byte) (int, error) {
	if w.failed {
		return len(p), nil
	}
	n, err := w.FileWriter.Write(p)
	if w.failed = w.full(err); w.failed {
		return len(p), nil
	}
	return n, err
}

func (w *lenientWriter) Commit(ctx context.Context) error {
	if w.failed {
		return errUnkept
	}
	err := w.FileWriter.Commit(ctx)
	if w.full(err) {
		return errUnkept
	}
	w.committed = err == nil
	return err
}

func (w *lenientWriter) Size() int64 {
	if w.FileWriter == nil {
		return 0
	}
	return w.FileWriter.Size()
}

// Cancel does nothing after a commit whose content turns out to be wrong. The engine then deletes the file,
// which it would not do after the error of the driver.
func (w *lenientWriter) Cancel(ctx context.Context) error {
	if w.FileWriter == nil || w.committed {
		return nil
	}
	return w.FileWriter.Cancel(ctx)
}

func (w *lenientWriter) Close() error {
	if w.FileWriter == nil {
		return nil
	}
	return w.FileWriter.Close()
}
