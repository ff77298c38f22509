// Package output keeps a server going while nobody reads what it writes. Its logs go through pipes, whose other
// end may stand still, for example when a Docker daemon was stopped and its containers go on.
package output

import (
	"io"
	stdlog "log"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

const (
	// most is roughly how much may wait for a reader.
	most = 1 << 20
	// aPiece is what a pipe takes at once. With such pieces, a reader that is only slow is seen to read.
	aPiece = 64 << 10
	// patience is how long a full buffer, or the end of the process, waits for a reader that may
	// only be slow.
	patience = time.Second
)

// Stdout and Stderr are those of a server. Other commands run in a process of their own, and lose no line.
var Stdout, Stderr = New(os.Stdout), New(os.Stderr)

// Writer passes lines on in the order they come. Those that its reader does not take in time are
// lost.
type Writer struct {
	out io.Writer

	mu      sync.Mutex
	waiting []byte
	// given is the time since when the reader has something to take. It is zero while there is nothing.
	given time.Time
	// taken is closed once the reader took what it was given, if somebody waits for that.
	taken chan struct{}
	// lost counts the lines that were lost, and told those of them that were reported.
	lost, told int64
	tell       func(lines int64)
}

// New is for one reader. One goroutine writes to it while there is something to write.
func New(out io.Writer) *Writer {
	return &Writer{out: out, tell: func(int64) {}}
}

// Write takes a line, and never fails: there is no other place to complain.
func (w *Writer) Write(line []byte) (int, error) {
	if len(line) == 0 {
		return 0, nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.full() && w.await(w.given.Add(patience)) {
	}
	if w.full() {
		w.lost++
		return len(line), nil
	}
	w.waiting = append(w.waiting, line...)
	if w.given.IsZero() {
		w.given = time.Now()
		go w.pass()
	}
	return len(line), nil
}

func (w *Writer) full() bool { return len(w.waiting) >= most }

// pass gives the reader all that waits, until nothing does.
func (w *Writer) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	var batch []byte
	for len(w.waiting) > 0 {
		batch, w.waiting = w.waiting, batch[:0]
		if lines := w.lost - w.told; lines > 0 {
			w.told = w.lost
			// The line about it may go to this writer, which is locked.
			go w.tell(lines)
		}
		for piece := range slices.Chunk(batch, aPiece) {
			w.given = time.Now()
			w.mu.Unlock()
			_, _ = w.out.Write(piece)
			w.mu.Lock()
			if w.taken != nil {
				close(w.taken)
				w.taken = nil
			}
		}
	}
	w.given = time.Time{}
}

// await says whether the reader takes what it was given before then. It unlocks the writer meanwhile.
func (w *Writer) await(then time.Time) bool {
	left := time.Until(then)
	if left <= 0 {
		return false
	}
	if w.taken == nil {
		w.taken = make(chan struct{})
	}
	taken := w.taken
	w.mu.Unlock()
	defer w.mu.Lock()
	select {
	case <-taken:
		return true
	case <-time.After(left):
		return false
	}
}

// untilRoom waits for room, as long as it takes.
func (w *Writer) untilRoom() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.full() {
		w.await(time.Now().Add(patience))
	}
}

// flush waits until all is written, but not beyond then.
func (w *Writer) flush(then time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.given.IsZero() && w.await(then) {
	}
}

// Lost is the number of lines that were lost.
func (w *Writer) Lost() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}

// Use sends the log of a server, that of the engine and that of Go's own packages through Stderr, and reports
// there what was lost.
func Use(log *logrus.Entry) {
	for name, w := range map[string]*Writer{"output": Stdout, "error": Stderr} {
		w.mu.Lock()
		w.tell = func(lines int64) {
			// The reader of Stderr may come back later than the other one.
			Stderr.untilRoom()
			log.Warnf("%d lines on standard %s were lost, as nobody read them in time", lines, name)
		}
		w.mu.Unlock()
	}
	log.Logger.SetOutput(Stderr)
	logrus.SetOutput(Stderr)
	stdlog.SetOutput(Stderr)
}

// Flush is for the end of the process.
func Flush() {
	then := time.Now().Add(patience)
	Stdout.flush(then)
	Stderr.flush(then)
}
