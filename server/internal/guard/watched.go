package guard

import (
	"context"
	"errors"
	"io"

	"github.com/distribution/distribution/v3"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

// watched sees what goes wrong with the store.
type watched struct {
	storagedriver.StorageDriver
	outage *outage
}

// saw looks at how an action on a path ended. What is not there is so in the engine's
// words: it does not know those of the system.
func (d watched) saw(ctx context.Context, action store.Action, path string, err error) error {
	switch {
	case err == nil:
		d.outage.success(action)
	case layout.IsOvertaken(err):
		requestOf(ctx).overtake()
	case layout.IsMissing(err):
		d.outage.success(action)
		var missing storagedriver.PathNotFoundError
		if !errors.As(err, &missing) {
			return storagedriver.PathNotFoundError{Path: path, DriverName: d.Name()}
		}
	case errors.Is(ctx.Err(), context.Canceled):
		// The client is gone.
	case d.outage.store.Away(err):
		if d.outage.failure(action, err) == store.Silent {
			requestOf(ctx).silence()
		}
		requestOf(ctx).refuse(errAway)
	case d.outage.store.Limits(err):
		fault := d.outage.failure(action, err)
		switch {
		case action == store.Read || action == store.List:
			// Nothing can be told of what is there.
			requestOf(ctx).refuse(errClosed)
		case fault == store.Denied:
			requestOf(ctx).deny(errSealed)
		}
	case d.outage.store.OfFile(err):
		d.outage.file(action, path, err)
		if action == store.Read {
			requestOf(ctx).refuse(errUnreadable)
		}
	}
	return err
}

func (d watched) GetContent(ctx context.Context, path string) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, patienceFor(ctx, path))
	defer cancel()
	content, err := d.StorageDriver.GetContent(limited, path)
	return content, d.saw(ctx, store.Read, path, err)
}

func (d watched) PutContent(ctx context.Context, path string, content []byte) error {
	limited, cancel := context.WithTimeout(ctx, patience+store.TimeFor(len(content)))
	defer cancel()
	err := d.StorageDriver.PutContent(limited, path, content)
	if upload, ok := layout.UploadOfSum(path); ok && d.isFull(err) {
		d.removeUpload(ctx, upload)
	}
	return d.saw(ctx, store.Write, path, err)
}

func (d watched) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	limited, cancel := context.WithTimeout(ctx, patienceFor(ctx, path))
	defer cancel()
	info, err := d.StorageDriver.Stat(limited, path)
	return info, d.saw(ctx, store.Read, path, err)
}

func (d watched) List(ctx context.Context, path string) (names []string, err error) {
	err = d.work(ctx, func(ctx context.Context) error {
		names, err = d.StorageDriver.List(ctx, path)
		return err
	})
	return names, d.saw(ctx, store.List, path, err)
}

func (d watched) Move(ctx context.Context, from, to string) error {
	err := d.work(ctx, func(ctx context.Context) error { return d.StorageDriver.Move(ctx, from, to) })
	if layout.IsUpload(from) && layout.IsMissing(err) {
		// Another server has moved it since it was compared with its digest.
		err = layout.ErrOvertaken
	}
	return d.saw(ctx, store.Write, from, err)
}

func (d watched) Delete(ctx context.Context, path string) error {
	err := d.work(ctx, func(ctx context.Context) error { return d.StorageDriver.Delete(ctx, path) })
	return d.saw(ctx, store.Delete, path, err)
}

func (d watched) Walk(ctx context.Context, path string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	limit := patience
	if layout.IsTags(path) {
		limit = tagsPatience
	}
	l := listen(ctx, limit)
	defer l.end()
	err := d.StorageDriver.Walk(l.ctx, path, func(info storagedriver.FileInfo) error {
		l.timer.Stop()
		defer l.timer.Reset(limit)
		return visit(info)
	}, options...)
	return d.saw(ctx, store.List, path, l.reason(err))
}

func (d watched) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	l := listen(ctx, patience)
	var reader io.ReadCloser
	err := l.during(func() (err error) {
		reader, err = d.StorageDriver.Reader(l.ctx, path, offset)
		return err
	})
	if err != nil {
		l.end()
		return nil, d.lost(ctx, path, err)
	}
	// It may be shorter than it was, which is no error.
	requestOf(ctx).lose(path, nil)
	return watchedReader{reader, l, func(err error) error { return d.lost(ctx, path, err) }}, nil
}

// lost also lets the request know: its client may have been promised what is in the file.
func (d watched) lost(ctx context.Context, path string, err error) error {
	err = d.saw(ctx, store.Read, path, err)
	requestOf(ctx).lose(path, err)
	return err
}

func (d watched) Writer(ctx context.Context, path string, appendMode bool) (storagedriver.FileWriter, error) {
	l := d.listenToWork(ctx)
	var writer storagedriver.FileWriter
	err := l.during(func() (err error) {
		writer, err = d.StorageDriver.Writer(l.ctx, path, appendMode)
		return err
	})
	if err != nil {
		l.end()
		if appendMode && layout.IsUpload(path) && requestOf(ctx).refusal() == nil && d.ended(ctx, path, err) {
			return nil, distribution.ErrBlobUploadUnknown
		}
		return nil, d.saw(ctx, store.Upload, path, err)
	}
	saw := func(err error) error { return d.saw(ctx, store.Upload, path, err) }
	if !layout.IsUpload(path) {
		return watchedWriter{writer, l, saw}, nil
	}
	return &uploadWriter{watchedWriter: watchedWriter{writer, l, saw}, driver: d, path: path, ctx: ctx}, nil
}

// ended says whether an upload can't go on as it is at its end, or gone: its client begins anew. A server
// that is killed at that moment leaves one that most stores can't append to.
func (d watched) ended(ctx context.Context, path string, err error) bool {
	if layout.IsMissing(err) || layout.IsOvertaken(err) {
		return true
	}
	if d.outage.store.Failure(store.Upload, err).Fault != store.Unknown {
		return false
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	info, err := d.StorageDriver.Stat(limited, path)
	// Another server may have made a blob of it since.
	return layout.IsMissing(err) || err == nil && info.Size() > 0
}

type watchedReader struct {
	io.ReadCloser
	listening listening
	saw       func(error) error
}

func (r watchedReader) Read(p []byte) (n int, err error) {
	err = r.listening.during(func() (err error) {
		n, err = r.ReadCloser.Read(p)
		return err
	})
	if err != nil && !errors.Is(err, io.EOF) {
		err = r.saw(err)
	}
	return n, err
}

func (r watchedReader) Close() error {
	defer r.listening.end()
	return r.ReadCloser.Close()
}

type watchedWriter struct {
	storagedriver.FileWriter
	listening listening
	saw       func(error) error
}

func (w watchedWriter) Write(p []byte) (n int, err error) {
	err = w.listening.during(func() (err error) {
		n, err = w.FileWriter.Write(p)
		return err
	})
	if err != nil {
		err = w.saw(err)
	}
	return n, err
}

func (w watchedWriter) Commit(ctx context.Context) error {
	return w.saw(w.listening.during(func() error { return w.FileWriter.Commit(ctx) }))
}

func (w watchedWriter) Close() error {
	defer w.listening.end()
	err := w.listening.during(w.FileWriter.Close)
	if err != nil {
		err = w.saw(err)
	}
	return err
}

func (w watchedWriter) Cancel(ctx context.Context) error {
	err := w.listening.during(func() error { return w.FileWriter.Cancel(ctx) })
	if layout.IsOvertaken(err) {
		err = w.saw(err)
	}
	return err
}
