package bounds

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long the server still waits for a client. Waiting uses it up, and every
// byte that moves gives a millisecond back: a slow line may take hours for a layer, and
// who sends or takes less than 1,000 bytes a second ends within the limit.
type patience struct {
	limit, left time.Duration
}

const perByte = time.Millisecond

func (p *patience) deadline(now time.Time) time.Time { return now.Add(p.left) }

func (p *patience) spend(waited time.Duration, moved int) {
	p.left = min(p.limit, max(0, p.left-waited)+time.Duration(moved)*perByte)
}

// paced has the client of a request keep moving. The deadlines are those of the connection
// in HTTP/1 and those of the request in HTTP/2, where they end it also when nothing is
// waited for; so there is one only while something is.
func paced(w http.ResponseWriter, r *http.Request, limits Limits, c *connection) (*writer, *http.Request) {
	paced := &writer{
		ResponseWriter: w,
		control:        http.NewResponseController(w),
		patience:       patience{limits.Patience, limits.Patience},
		limits:         limits,
		stream:         r.ProtoMajor > 1,
	}
	// That of the request before on this connection.
	_ = paced.control.SetWriteDeadline(time.Time{})
	if r.Body != nil && r.Body != http.NoBody {
		paced.body = &body{ReadCloser: r.Body, connection: c, control: paced.control, patience: paced.patience}
		copied := *r
		copied.Body = paced.body
		r = &copied
	}
	return paced, r
}

// body is what a client sends.
type body struct {
	io.ReadCloser
	connection *connection // none if it is not known
	control    *http.ResponseController
	patience   patience
	ended      bool
}

func (b *body) Read(p []byte) (int, error) {
	start := time.Now()
	_ = b.control.SetReadDeadline(b.patience.deadline(start))
	n, err := b.ReadCloser.Read(p)
	if err == nil || errors.Is(err, io.EOF) {
		_ = b.control.SetReadDeadline(time.Time{})
	}
	b.ended = b.ended || err != nil
	b.patience.spend(time.Since(start), n)
	if b.connection != nil {
		b.connection.forget(int64(n))
	}
	return n, err
}

// Hurry has the rest of a request's body come with less patience.
func Hurry(r *http.Request, limit time.Duration) {
	if b, ok := r.Body.(*body); ok {
		b.patience.limit, b.patience.left = limit, min(limit, b.patience.left)
	}
}

// writer is what a client gets.
type writer struct {
	http.ResponseWriter
	control  *http.ResponseController
	body     *body
	patience patience
	limits   Limits
	answered bool
	unsent   bool // some of the answer may be
	stream   bool // of HTTP/2
	// For those who look for room: when it began to wait for the client, 0 while it does not, how
	// much the client took, how much its connection was sent before, and when it began.
	standing, taken atomic.Int64
	before, began   int64
	// over is done by the handler's end, or by drop.
	over sync.Once
	// dropped is before its deadline is over, so that no later one stands in place of that.
	dropped atomic.Bool
}

func (w *writer) WriteHeader(status int) {
	w.answer()
	w.ResponseWriter.WriteHeader(status)
	w.unsent = true
}

// answer limits how long the client may go on sending: net/http reads some of what the
// handler left before it sends the answer.
func (w *writer) answer() {
	if !w.answered && w.body != nil && !w.body.ended {
		_ = w.control.SetReadDeadline(time.Now().Add(w.limits.Rest))
	}
	w.answered = true
}

// aPiece is what is written at once: who takes a long answer slowly is seen to move.
const aPiece = 32 << 10

func (w *writer) Write(p []byte) (n int, err error) {
	w.answer()
	for {
		piece := p[n:min(len(p), n+aPiece)]
		w.wait(func() (taken int) {
			taken, err = w.ResponseWriter.Write(piece)
			n += taken
			return taken
		})
		w.unsent = true
		if err != nil || n == len(p) {
			return n, err
		}
	}
}

// FlushError is what http.ResponseController looks for.
func (w *writer) FlushError() (err error) {
	w.answer()
	w.wait(func() int {
		err = w.control.Flush()
		return 0
	})
	w.unsent = false
	return err
}

func (w *writer) wait(move func() int) {
	start := time.Now()
	w.standing.Store(sinceStart(start))
	_ = w.control.SetWriteDeadline(w.patience.deadline(start))
	if w.dropped.Load() {
		w.expire()
	}
	n := move()
	_ = w.control.SetWriteDeadline(time.Time{})
	w.standing.Store(0)
	w.taken.Add(int64(n))
	w.patience.spend(time.Since(start), n)
}

// drop ends an answer while its handler runs: it resets a stream of HTTP/2, and leaves its connection alone.
func (w *writer) drop() {
	w.over.Do(func() {
		w.dropped.Store(true)
		w.expire()
	})
}

func (w *writer) expire() { _ = w.control.SetWriteDeadline(time.Unix(1, 0)) }

// Drop ends an answer that its client takes too slowly, and with it a connection of HTTP/1.
func Drop(w http.ResponseWriter) {
	for {
		switch outer := w.(type) {
		case *writer:
			outer.drop()
			return
		case interface{ Unwrap() http.ResponseWriter }:
			w = outer.Unwrap()
		default:
			return
		}
	}
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// leave has the client take what is left of its answer, which may be its header. net/http then no
// longer knows that it is all: a small answer that does not say how long it is has no
// Content-Length. There is no deadline after it: in HTTP/2 one that is set as the stream closes
// holds all that is known of the request until it is over.
func (w *writer) leave(c *connection, among *leaving) {
	w.answer()
	if w.unsent {
		among.wait(c, w.FlushError)
	}
}

// end is for what net/http does after the handler.
func (w *writer) end() {
	w.answer()
	_ = w.control.SetWriteDeadline(w.patience.deadline(time.Now()))
}
