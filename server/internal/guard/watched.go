package guard

import (
	"context"
	"errors"
	"io"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

// patience is how long a store may take for one small request: Google's client would ask
// again for ever.
const patience = 30 * time.Second

// tagsPatience is for tags, which are listed as a whole before the first is seen: a hundred
// thousand take S3 half a minute.
const tagsPatience = time.Minute

// workPatience is for what a store may really work on: a folder of many names, or the copy
// of a large blob, of which it says nothing before the end.
const workPatience = 10 * time.Minute

// silence is that of a store, for so long.
type silence time.Duration

func (s silence) Error() string { return "no answer within " + time.Duration(s).String() }

// watched sees what goes wrong with the store.
type watched struct {
	storagedriver.StorageDriver
	outage *outage
}

// saw looks at how an action on a path ended. What is not there is so in the engine's
// words: it no longer knows those of Google's client.
func (d watched) saw(ctx context.Context, action store.Action, path string, err error) error {
	switch {
	case err == nil:
		d.outage.success(action)
	case layout.IsMissing(err):
		d.outage.success(action)
		var missing storagedriver.PathNotFoundError
		if !errors.As(err, &missing) {
			return storagedriver.PathNotFoundError{Path: path, DriverName: d.Name()}
		}
	case errors.Is(ctx.Err(), context.Canceled):
		// The client is gone.
	case d.outage.store.Away(err):
		d.outage.failure(action, err)
		requestOf(ctx).refuse(errAway)
	case d.outage.store.Limits(err):
		d.outage.failure(action, err)
		if action == store.Read || action == store.List {
			// Nothing can be told of what is there.
			requestOf(ctx).refuse(errClosed)
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
	limited, cancel := context.WithTimeout(ctx, patience)
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
	limited, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	info, err := d.StorageDriver.Stat(limited, path)
	return info, d.saw(ctx, store.Read, path, err)
}

func (d watched) List(ctx context.Context, path string) ([]string, error) {
	limited, cancel := context.WithTimeout(ctx, workPatience)
	defer cancel()
	names, err := d.StorageDriver.List(limited, path)
	return names, d.saw(ctx, store.List, path, err)
}

func (d watched) Move(ctx context.Context, from, to string) error {
	limited, cancel := context.WithTimeout(ctx, workPatience)
	defer cancel()
	return d.saw(ctx, store.Write, from, d.StorageDriver.Move(limited, from, to))
}

func (d watched) Delete(ctx context.Context, path string) error {
	limited, cancel := context.WithTimeout(ctx, workPatience)
	defer cancel()
	return d.saw(ctx, store.Delete, path, d.StorageDriver.Delete(limited, path))
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
	reader, err := d.StorageDriver.Reader(l.ctx, path, offset)
	l.timer.Stop()
	if err != nil {
		err = l.reason(err)
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
	l := listen(ctx, workPatience)
	writer, err := d.StorageDriver.Writer(l.ctx, path, appendMode)
	l.timer.Stop()
	if err != nil {
		err = l.reason(err)
		l.end()
		return nil, d.saw(ctx, store.Upload, path, err)
	}
	saw := func(err error) error { return d.saw(ctx, store.Upload, path, err) }
	if !layout.IsUpload(path) {
		return watchedWriter{writer, l, saw}, nil
	}
	return &uploadWriter{watchedWriter: watchedWriter{writer, l, saw}, driver: d, path: path, ctx: ctx}, nil
}

// listening is for what may take long as a whole: its context ends when the store says
// nothing for as long as patience lasts.
type listening struct {
	ctx      context.Context
	cancel   context.CancelCauseFunc
	patience time.Duration
	timer    *time.Timer
}

func listen(ctx context.Context, patience time.Duration) listening {
	limited, cancel := context.WithCancelCause(ctx)
	return listening{limited, cancel, patience, time.AfterFunc(patience, func() { cancel(silence(patience)) })}
}

// during is for one thing that is asked of the store.
func (l listening) during(ask func() error) error {
	l.timer.Reset(l.patience)
	defer l.timer.Stop()
	return l.reason(ask())
}

func (l listening) reason(err error) error {
	if silent := silence(0); err != nil && errors.As(context.Cause(l.ctx), &silent) {
		return silent
	}
	return err
}

func (l listening) end() {
	l.timer.Stop()
	l.cancel(nil)
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
	return w.listening.during(func() error { return w.FileWriter.Cancel(ctx) })
}
