package osstest

import (
	"net/http"
	"sync"
)

// Request is one request the server received, for tests that count or order
// them. Op is the operation's name in the vendor's API reference.
type Request struct {
	Op        string
	Key       string
	BytesIn   int64 // declared length of the request body
	UserAgent string
}

// Fault tells the server to misbehave for one request.
type Fault struct {
	// Status answers with this HTTP status and Code, without acting.
	Status int
	Code   string
	// Page answers in the place of OSS, without the request ID of OSS's answers.
	Page func(http.ResponseWriter)
	// Hold keeps the request unanswered until the channel closes, and then goes
	// on as if there were no fault. It ends when the client goes away (noticed
	// only on requests without a body) or the server closes.
	Hold <-chan struct{}
	// Drop closes the connection without an answer, before acting.
	Drop bool
	// DropAnswer acts on the request, then closes the connection unanswered.
	DropAnswer bool
	// CutBody closes the connection after this many bytes of the answer's body.
	CutBody int64
	// CutHeaders closes the connection before the first byte of that body.
	CutHeaders bool
}

// FaultFunc picks the fault for a request; nil means none.
type FaultFunc func(Request) *Fault

// recorder keeps the log of requests and the fault hook.
type recorder struct {
	mu       sync.Mutex
	requests []Request
	fault    FaultFunc
}

func (rec *recorder) add(req Request) *Fault {
	rec.mu.Lock()
	rec.requests = append(rec.requests, req)
	fault := rec.fault
	rec.mu.Unlock()
	if fault == nil {
		return nil
	}
	return fault(req)
}

// SetFault installs f as the fault hook; nil removes it.
func (s *Server) SetFault(f FaultFunc) {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	s.recorder.fault = f
}

// Requests returns the requests since the last call and forgets them.
func (s *Server) Requests() []Request {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	out := s.recorder.requests
	s.recorder.requests = nil
	return out
}

// Count returns how many of requests are op.
func Count(requests []Request, op string) int {
	n := 0
	for _, r := range requests {
		if r.Op == op {
			n++
		}
	}
	return n
}

// apply carries out the part of f that comes before the operation. It reports
// whether the operation goes on, and the writer it should use.
func (f *Fault) apply(w http.ResponseWriter, r *http.Request, closing <-chan struct{}) (http.ResponseWriter, bool) {
	if f == nil {
		return w, true
	}
	if f.Hold != nil {
		select {
		case <-f.Hold:
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-closing:
			panic(http.ErrAbortHandler)
		}
	}
	switch {
	case f.Page != nil:
		w.Header().Del("x-oss-request-id")
		f.Page(w)
		return w, false
	case f.Drop:
		panic(http.ErrAbortHandler)
	case f.Status != 0:
		writeError(w, r, apiError{status: f.Status, Code: f.Code, Message: "Injected by the test."})
		return w, false
	case f.DropAnswer:
		return &cutWriter{ResponseWriter: w}, true
	case f.CutBody > 0 || f.CutHeaders:
		return &cutWriter{ResponseWriter: w, headers: true, left: f.CutBody}, true
	}
	return w, true
}

// cutWriter lets left bytes through and then breaks the connection. Without
// headers it breaks it before the first byte of the answer.
type cutWriter struct {
	http.ResponseWriter
	headers bool
	left    int64
}

func (c *cutWriter) WriteHeader(status int) {
	if !c.headers {
		panic(http.ErrAbortHandler)
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *cutWriter) Write(p []byte) (int, error) {
	if !c.headers {
		panic(http.ErrAbortHandler)
	}
	if int64(len(p)) <= c.left {
		c.left -= int64(len(p))
		return c.ResponseWriter.Write(p)
	}
	c.ResponseWriter.Write(p[:c.left])
	c.ResponseWriter.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}
