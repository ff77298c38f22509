// Package unread passes on what a program says to whoever reads it, who may stand still, as in a pager or
// a terminal that was stopped. What others wait for does not wait for that.
package unread

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// most is how many lines may wait for the reader: some two megabytes of them.
	most = 1 << 14
	// patience is for a reader who is slow, in all.
	patience = 10 * time.Second
)

// Writer takes whole lines, and leaves out those that nobody reads for long.
type Writer struct {
	lines chan []byte
	ended chan struct{}

	mutex    sync.Mutex
	patience time.Duration
	leftOut  int
}

// To writes to out until Close.
func To(out io.Writer) *Writer {
	w := &Writer{lines: make(chan []byte, most), ended: make(chan struct{}), patience: patience}
	go w.pass(out)
	return w
}

func (w *Writer) pass(out io.Writer) {
	defer close(w.ended)
	for each := range w.lines {
		// Whoever went away is known by other means.
		_, _ = out.Write(each)
	}
}

// Write never fails.
func (w *Writer) Write(lines []byte) (int, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	next := append(w.gap(), lines...)
	select {
	case w.lines <- next:
		w.leftOut = 0
		return len(lines), nil
	default:
	}
	began := time.Now()
	select {
	case w.lines <- next:
		w.leftOut = 0
	case <-time.After(w.patience):
		w.leftOut += bytes.Count(lines, []byte("\n"))
	}
	w.patience -= time.Since(began)
	return len(lines), nil
}

// gap stands in the place of lines that were left out.
func (w *Writer) gap() []byte {
	if w.leftOut == 0 {
		return nil
	}
	return fmt.Appendf(nil, "warning: %d lines are left out here, as nobody read them in time\n", w.leftOut)
}

// Close waits until all is read, or the reader is gone. It is for when nobody else waits.
func (w *Writer) Close() error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if gap := w.gap(); gap != nil {
		w.lines <- gap
	}
	close(w.lines)
	<-w.ended
	return nil
}
