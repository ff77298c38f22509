package enginestore

import (
	"context"
	"net/http"
	gopath "path"
	"sync"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/storage"
)

// single lets an upload be written only by the request that opened it last, and by no request once it is a
// blob. An older request that was held up on its way would otherwise write into what a newer one has
// continued, or into the blob itself.
type single struct {
	storagedriver.StorageDriver
	uploads *uploads
}

// uploads are the uploads that requests to this server have open, by their folders.
type uploads struct {
	mu   sync.Mutex
	open map[string]*upload
}

type upload struct {
	// turn is held during each call to the store.
	turn  chan struct{}
	users int
	last  *writer
	// closed is set when the upload is complete, and when it is deleted. It can't be opened then.
	closed bool
}

// use returns the upload of a folder. The caller must call leave when it is done with it.
func (u *uploads) use(folder string) (_ *upload, leave func()) {
	u.mu.Lock()
	defer u.mu.Unlock()
	it := u.open[folder]
	if it == nil {
		it = &upload{turn: make(chan struct{}, 1)}
		u.open[folder] = it
	}
	it.users++
	return it, sync.OnceFunc(func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if it.users--; it.users == 0 {
			delete(u.open, folder)
		}
	})
}

// during calls ask once no other call to the store for this upload is under way.
func (u *upload) during(ctx context.Context, ask func() error) error {
	select {
	case u.turn <- struct{}{}:
	default:
		select {
		case u.turn <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	defer func() { <-u.turn }()
	return ask()
}

// looks says whether a request only asks how far an upload got. Its client is about to continue from there, so
// bytes that still arrive over an older, broken connection must not be written: the client would continue at the
// wrong offset. A GET without an upload ID may still write: a mirror stores what it is asked for with
// uploads of its own.
func looks(ctx context.Context) bool {
	if ctx.Value("vars.uuid") == nil {
		return false
	}
	method, _ := ctx.Value("http.request.method").(string)
	return method == http.MethodGet || method == http.MethodHead
}

func (s single) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	if !layout.IsUpload(path) {
		return s.StorageDriver.Writer(ctx, path, appendMode)
	}
	it, leave := s.uploads.use(gopath.Dir(path))
	own, cancel := context.WithCancelCause(ctx)
	w := &writer{ctx: own, cancel: cancel, store: s.StorageDriver, upload: it, leave: leave}
	err := it.during(ctx, func() (err error) {
		if it.closed {
			return layout.ErrOvertaken
		}
		it.last.abandon()
		it.last = w
		w.FileWriter, err = s.StorageDriver.Writer(own, path, appendMode)
		return err
	})
	if err != nil || looks(ctx) {
		defer w.end()
	}
	if err != nil {
		return nil, err
	}
	if looks(ctx) {
		return looked{size: w.FileWriter.Size()}, nil
	}
	if ending, ok := ctx.Value(uploadKey{}).(*Ending); ok {
		w.ending, ending.writer = ending, w
	}
	return w, nil
}

// Move ends an upload as a blob.
func (s single) Move(ctx context.Context, from, to string) error {
	if !layout.IsUpload(from) {
		return s.StorageDriver.Move(ctx, from, to)
	}
	var committed storagedriver.FileWriter
	if ending, ok := ctx.Value(uploadKey{}).(*Ending); ok && ending.writer != nil {
		committed = ending.writer.FileWriter
	}
	return s.end(ctx, gopath.Dir(from), func() error { return storage.Move(ctx, s.StorageDriver, committed, from, to) })
}

func (s single) Delete(ctx context.Context, path string) error {
	if !layout.IsUploadFolder(path) {
		return s.StorageDriver.Delete(ctx, path)
	}
	return s.end(ctx, path, func() error {
		if ending, ok := ctx.Value(uploadKey{}).(*Ending); ok && ending.writer != nil {
			// NFS keeps a file that is deleted while it is open, and its folder with it.
			ending.writer.letGo()
		}
		return s.StorageDriver.Delete(ctx, path)
	})
}

// end is called for the request that has the upload open, for the purge of abandoned uploads, and for uploads of
// the server itself. The engine leaves the writer of the latter open if it could not store the sum.
func (s single) end(ctx context.Context, folder string, do func() error) error {
	it, leave := s.uploads.use(folder)
	defer leave()
	var own *writer
	err := it.during(ctx, func() error {
		ending, ok := ctx.Value(uploadKey{}).(*Ending)
		if ok && ending.writer != nil && it.last != ending.writer {
			return layout.ErrOvertaken
		}
		err := do()
		it.closed = it.closed || err == nil
		if err == nil && it.last != nil && it.last.ending == nil {
			own = it.last
		}
		return err
	})
	if own != nil {
		own.end()
	}
	return err
}

// writer writes to an upload. Only the last writer of an upload has an effect.
type writer struct {
	storagedriver.FileWriter
	// ctx is what the driver got: once it has ended, the driver can save nothing more.
	ctx    context.Context
	cancel context.CancelCauseFunc
	store  storagedriver.StorageDriver
	upload *upload
	leave  func()
	// ending is the request, or nil if the server itself uploads.
	ending *Ending
}

// holder is a driver's writer that holds more than memory.
type holder interface{ letGo() }

// abandon drops what was not saved. It does not close the driver's writer, because that would save it.
func (w *writer) abandon() {
	if w == nil {
		return
	}
	w.cancel(layout.ErrOvertaken)
	w.letGo()
}

func (w *writer) letGo() {
	if h, ok := w.FileWriter.(holder); ok {
		h.letGo()
	}
}

// end is called when the writer's request has ended.
func (w *writer) end() {
	// This waits at most for a call to the store that is under way: abandon itself asks nothing of the store.
	_ = w.upload.during(context.Background(), func() error {
		if w.upload.last == w {
			w.upload.last, w.upload.closed = nil, false
		}
		w.abandon()
		return nil
	})
	w.leave()
}

// alone calls do if this is the upload's last writer.
func (w *writer) alone(ctx context.Context, do func() error) error {
	return w.upload.during(ctx, func() error {
		if w.upload.last != w {
			return layout.ErrOvertaken
		}
		return do()
	})
}

func (w *writer) Write(p []byte) (n int, err error) {
	err = w.alone(w.ctx, func() (err error) {
		n, err = w.FileWriter.Write(p)
		return err
	})
	return n, err
}

// Commit closes the upload to other writers: the bytes that are compared with the digest afterwards must be the
// bytes that are kept.
func (w *writer) Commit(ctx context.Context) error {
	return w.alone(ctx, func() error {
		err := w.FileWriter.Commit(ctx)
		w.upload.closed = w.upload.closed || err == nil
		return err
	})
}

// Close saves the bytes even if the client is gone.
func (w *writer) Close() error {
	if w.ending == nil {
		defer w.end()
	}
	return w.alone(context.Background(), func() error {
		if err := w.FileWriter.Close(); err != nil || w.ending == nil {
			return err
		}
		return w.ending.keepSum()
	})
}

func (w *writer) Cancel(ctx context.Context) error {
	if w.ending == nil {
		// No other request knows of this upload. The engine may or may not have closed it already.
		defer w.end()
		return w.FileWriter.Cancel(ctx)
	}
	return w.alone(ctx, func() error {
		err := w.FileWriter.Cancel(ctx)
		w.upload.closed = w.upload.closed || err == nil
		return err
	})
}

// looked is a writer that is only asked for its size.
type looked struct {
	storagedriver.FileWriter
	size int64
}

func (l looked) Size() int64  { return l.size }
func (l looked) Close() error { return nil }
