package oss

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"container-registry/server/internal/storage/oss/osstest"
)

// once makes the first request of an operation fail.
func once(op string, fault *osstest.Fault) osstest.FaultFunc {
	var mu sync.Mutex
	done := false
	return func(r osstest.Request) *osstest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if r.Op != op || done {
			return nil
		}
		done = true
		return fault
	}
}

// everyOther makes every first try fail and every second one succeed.
func everyOther(fault *osstest.Fault) osstest.FaultFunc {
	var mu sync.Mutex
	failed := map[string]bool{}
	return func(r osstest.Request) *osstest.Fault {
		mu.Lock()
		defer mu.Unlock()
		name := r.Op + " " + r.Key
		failed[name] = !failed[name]
		if failed[name] {
			return fault
		}
		return nil
	}
}

// Everything the driver does must get over a busy server and a cut connection.
func TestRetries(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault *osstest.Fault
	}{
		{"503", &osstest.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"}},
		{"500", &osstest.Fault{Status: http.StatusInternalServerError, Code: "InternalError"}},
		{"429", &osstest.Fault{Status: http.StatusTooManyRequests, Code: "QpsLimitExceeded"}},
		{"cut connection", &osstest.Fault{Drop: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // most of the time goes into backing off
			s, params := startOSS(t)
			params["chunksize"], params["multipartcopythresholdsize"] = minPartSize, minPartSize
			s.SetFault(everyOther(test.fault))
			d := newTestDriver(t, params)
			data := pattern(250 << 10)
			w := openWriter(t, d, "/dir/data", false)
			write(t, w, data[:120<<10])
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			w = openWriter(t, d, "/dir/data", true)
			write(t, w, data[120<<10:])
			commit(t, w)
			if err := d.Move(t.Context(), "/dir/data", "/dir/moved"); err != nil {
				t.Fatal(err)
			}
			assertContent(t, d, "/dir/moved", data)
			if _, err := d.Stat(t.Context(), "/dir"); err != nil {
				t.Error(err)
			}
			if names, err := d.List(t.Context(), "/dir"); err != nil || len(names) != 1 {
				t.Errorf("%v %v", names, err)
			}
			if err := d.Delete(t.Context(), "/dir"); err != nil {
				t.Error(err)
			}
			s.SetFault(nil)
			assertOnly(t, s)
		})
	}
}

// A request that can never succeed is not retried.
func TestNoRetryOnRefusal(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	s.SetFault(func(osstest.Request) *osstest.Fault {
		return &osstest.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}
	})
	s.Requests()
	err := d.PutContent(t.Context(), "/a", nil)
	if err == nil || !strings.Contains(err.Error(), "PutObject a: AccessDenied: Injected by the test. (HTTP 403, request ") {
		t.Errorf("got %v", err)
	}
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// The body of a download breaks off several times, each time further on.
func TestReaderGoesOn(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	data := pattern(1 << 20)
	if err := d.PutContent(t.Context(), "/data", data); err != nil {
		t.Fatal(err)
	}
	s.SetFault(func(osstest.Request) *osstest.Fault { return &osstest.Fault{CutBody: 200 << 10} })
	s.Requests()
	r, err := d.Reader(t.Context(), "/data", 5)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != string(data[5:]) {
		t.Errorf("%d bytes of %d: %v", len(got), len(data)-5, err)
	}
	if n := osstest.Count(s.Requests(), "GetObject"); n < 5 {
		t.Errorf("%d downloads", n)
	}
}

// A download that gets no more bytes must end.
func TestReaderGivesUp(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	if err := d.PutContent(t.Context(), "/data", pattern(1<<20)); err != nil {
		t.Fatal(err)
	}
	s.SetFault(func(r osstest.Request) *osstest.Fault { return &osstest.Fault{CutHeaders: true} })
	s.Requests()
	r, err := d.Reader(t.Context(), "/data", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Read(make([]byte, 10)); err == nil {
		t.Error("no error")
	}
	if n := osstest.Count(s.Requests(), "GetObject"); n != 1+maxReopens {
		t.Errorf("%d downloads", n)
	}
}

// Bytes of two versions of an object must not be mixed.
func TestReaderNoticesAnotherVersion(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	data := pattern(1 << 20)
	if err := d.PutContent(t.Context(), "/data", data); err != nil {
		t.Fatal(err)
	}
	s.SetFault(once("GetObject", &osstest.Fault{CutBody: 100 << 10}))
	r, err := d.Reader(t.Context(), "/data", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if err := d.PutContent(t.Context(), "/data", data[1:]); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err == nil || !strings.Contains(err.Error(), "PreconditionFailed") {
		t.Errorf("got %v", err)
	}
}

// Every operation must end when its context does, whatever the server does.
func TestCancellation(t *testing.T) {
	s, params := startOSS(t)
	params["chunksize"], params["multipartcopythresholdsize"] = minPartSize, minPartSize
	d := newTestDriver(t, params)
	w := openWriter(t, d, "/large", false)
	write(t, w, pattern(500<<10))
	commit(t, w)

	operations := []struct {
		name string
		run  func(ctx context.Context) error
	}{
		{"GetContent", func(ctx context.Context) error { _, err := d.GetContent(ctx, "/large"); return err }},
		{"PutContent", func(ctx context.Context) error { return d.PutContent(ctx, "/x", []byte("x")) }},
		{"Reader", func(ctx context.Context) error { _, err := d.Reader(ctx, "/large", 0); return err }},
		{"Writer", func(ctx context.Context) error { _, err := d.Writer(ctx, "/x", true); return err }},
		{"Stat", func(ctx context.Context) error { _, err := d.Stat(ctx, "/large"); return err }},
		{"List", func(ctx context.Context) error { _, err := d.List(ctx, "/"); return err }},
		{"Move", func(ctx context.Context) error { return d.Move(ctx, "/large", "/y") }},
		{"Delete", func(ctx context.Context) error { return d.Delete(ctx, "/large") }},
		{"Walk", func(ctx context.Context) error { return d.Walk(ctx, "/", nil) }},
	}
	t.Run("held by the server", func(t *testing.T) {
		for _, op := range operations {
			t.Run(op.name, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				s.SetFault(func(osstest.Request) *osstest.Fault {
					cancel() // as soon as a request has arrived
					return &osstest.Fault{Hold: make(chan struct{})}
				})
				assertCancelled(t, op.run(ctx))
			})
		}
	})
	t.Run("between retries", func(t *testing.T) {
		for _, op := range operations {
			t.Run(op.name, func(t *testing.T) {
				// The first answer arrives long before that time, the fifth does not.
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				s.SetFault(func(osstest.Request) *osstest.Fault {
					return &osstest.Fault{Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"}
				})
				begun := time.Now()
				assertEnded(t, op.run(ctx), context.DeadlineExceeded)
				if took := time.Since(begun); took > 5*time.Second {
					t.Errorf("it took %s", took)
				}
			})
		}
	})
	t.Run("while writing", func(t *testing.T) {
		s.SetFault(nil)
		ctx, cancel := context.WithCancel(t.Context())
		w, err := d.Writer(ctx, "/w", false)
		if err != nil {
			t.Fatal(err)
		}
		s.SetFault(func(r osstest.Request) *osstest.Fault {
			if r.Op != "UploadPart" {
				return nil
			}
			cancel()
			return &osstest.Fault{Hold: make(chan struct{})}
		})
		_, err = w.Write(pattern(300 << 10))
		assertCancelled(t, err)
	})
	t.Run("while committing", func(t *testing.T) {
		s.SetFault(nil)
		w := openWriter(t, d, "/c", false)
		write(t, w, pattern(300<<10))
		ctx, cancel := context.WithCancel(t.Context())
		s.SetFault(func(osstest.Request) *osstest.Fault {
			cancel()
			return &osstest.Fault{Hold: make(chan struct{})}
		})
		assertCancelled(t, w.Commit(ctx))
	})
	t.Run("while reading", func(t *testing.T) {
		s.SetFault(nil)
		ctx, cancel := context.WithCancel(t.Context())
		r, err := d.Reader(ctx, "/large", 0)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		cancel()
		_, err = io.Copy(io.Discard, r)
		assertCancelled(t, err)
	})
	s.SetFault(nil)
	if _, err := d.Stat(t.Context(), "/large"); err != nil {
		t.Errorf("a cancelled operation went on: %v", err)
	}
}

func assertCancelled(t *testing.T, err error) {
	t.Helper()
	assertEnded(t, err, context.Canceled)
}

func assertEnded(t *testing.T, err, want error) {
	t.Helper()
	// base.Base wraps errors without Unwrap.
	if !errors.Is(err, want) && (err == nil || !strings.Contains(err.Error(), want.Error())) {
		t.Errorf("got %v, want %v", err, want)
	}
}
