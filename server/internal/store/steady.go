package store

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/storage"
	"container-registry/server/internal/traits"
	"container-registry/server/internal/walk"
)

// Steady turns a driver's panic into an error, and completes the driver. Drivers take much of a store's answers for
// granted, and most of their callers recover from nothing: the process would end.
//
// It also returns an error for a link that holds no digest. Something in front of the store has then answered with a
// page instead, and taking that for a link to nothing would mean taking an image for gone. In a folder, nothing
// else can answer. On any store, a power cut may leave a link empty. Such links are not an error: they can be
// pushed anew.
func Steady(driver storagedriver.StorageDriver) storagedriver.StorageDriver {
	driver = storage.Complete(driver)
	if lister, ok := driver.(walk.Lister); ok {
		return steadyLister{steady{driver}, lister}
	}
	return steady{driver}
}

// caught is to be deferred. The error says where the panic was, because nothing else would tell that any more.
func caught(err *error) {
	reason := recover()
	if reason == nil {
		return
	}
	var callers [16]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	frame, more := frames.Next()
	for more && strings.HasPrefix(frame.Function, "runtime.") {
		frame, more = frames.Next()
	}
	*err = fmt.Errorf("its driver cannot read the answer, at %s:%d: %v", filepath.Base(frame.File), frame.Line, reason)
}

type steady struct{ storagedriver.StorageDriver }

func (d steady) GetContent(ctx context.Context, path string) (_ []byte, err error) {
	defer caught(&err)
	content, err := d.StorageDriver.GetContent(ctx, path)
	if err == nil && !traits.Of[d.Name()].Folder && len(content) > 0 && layout.IsLink(path) && digest.Digest(content).Validate() != nil {
		return nil, fmt.Errorf("%s holds no digest", path)
	}
	return content, err
}

func (d steady) PutContent(ctx context.Context, path string, content []byte) (err error) {
	defer caught(&err)
	return d.StorageDriver.PutContent(ctx, path, content)
}

func (d steady) Stat(ctx context.Context, path string) (_ storagedriver.FileInfo, err error) {
	defer caught(&err)
	return d.StorageDriver.Stat(ctx, path)
}

func (d steady) List(ctx context.Context, path string) (_ []string, err error) {
	defer caught(&err)
	return d.StorageDriver.List(ctx, path)
}

func (d steady) Move(ctx context.Context, from, to string) (err error) {
	defer caught(&err)
	return d.StorageDriver.Move(ctx, from, to)
}

func (d steady) Delete(ctx context.Context, path string) (err error) {
	defer caught(&err)
	return d.StorageDriver.Delete(ctx, path)
}

func (d steady) Walk(ctx context.Context, path string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) (err error) {
	defer caught(&err)
	return d.StorageDriver.Walk(ctx, path, visit, options...)
}

func (d steady) Reader(ctx context.Context, path string, offset int64) (_ io.ReadCloser, err error) {
	defer caught(&err)
	return d.StorageDriver.Reader(ctx, path, offset)
}

func (d steady) Writer(ctx context.Context, path string, appendMode bool) (_ storagedriver.FileWriter, err error) {
	defer caught(&err)
	writer, err := d.StorageDriver.Writer(ctx, path, appendMode)
	if err != nil {
		return nil, err
	}
	return steadyWriter{writer}, nil
}

type steadyLister struct {
	steady
	lister walk.Lister
}

func (d steadyLister) Files(ctx context.Context, folder string, visit func(storagedriver.FileInfo) error) (err error) {
	defer caught(&err)
	return d.lister.Files(ctx, folder, visit)
}

type steadyWriter struct{ storagedriver.FileWriter }

func (w steadyWriter) Write(p []byte) (_ int, err error) {
	defer caught(&err)
	return w.FileWriter.Write(p)
}

func (w steadyWriter) Commit(ctx context.Context) (err error) {
	defer caught(&err)
	return w.FileWriter.Commit(ctx)
}

func (w steadyWriter) Close() (err error) {
	defer caught(&err)
	return w.FileWriter.Close()
}

func (w steadyWriter) Cancel(ctx context.Context) (err error) {
	defer caught(&err)
	return w.FileWriter.Cancel(ctx)
}
