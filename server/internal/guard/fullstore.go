package guard

import (
	"context"
	"path"

	"container-registry/server/internal/store"
)

// uploadWriter takes away what filled the store: its client begins anew, and till somebody finds it
// there would be no room for anything.
type uploadWriter struct {
	watchedWriter
	driver watched
	path   string
	ctx    context.Context
	full   bool
}

func (w *uploadWriter) Write(p []byte) (int, error) {
	n, err := w.watchedWriter.Write(p)
	w.look(err)
	return n, err
}

func (w *uploadWriter) Commit(ctx context.Context) error {
	err := w.watchedWriter.Commit(ctx)
	w.look(err)
	return err
}

func (w *uploadWriter) Close() error {
	err := w.watchedWriter.Close()
	if w.full {
		// The engine has noted how far it got.
		w.remove()
		return nil
	}
	w.look(err)
	return err
}

func (w *uploadWriter) look(err error) {
	if w.full || !w.driver.isFull(err) {
		return
	}
	w.full = true
	// As long as it is open, a deleted file takes its room.
	_ = w.Cancel(context.WithoutCancel(w.ctx))
	w.remove()
}

func (w *uploadWriter) remove() { w.driver.removeUpload(w.ctx, path.Dir(w.path)) }

func (d watched) isFull(err error) bool {
	return err != nil && d.outage.store.Failure(store.Upload, err).Fault == store.Full
}

func (d watched) removeUpload(ctx context.Context, folder string) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), workPatience)
	defer cancel()
	// Later somebody finds it by its age.
	_ = d.StorageDriver.Delete(limited, folder)
}
