package gcs

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"google.golang.org/api/googleapi"
)

// reset ends a connection as a firewall does.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	tcp := conn.(*tls.Conn).NetConn().(*net.TCPConn)
	_ = tcp.SetLinger(0)
	tcp.Close()
}

// TestReset lets the connection break once: before Google does what it was asked for, or after.
func TestReset(t *testing.T) {
	for name, action := range actions {
		for when, does := range map[string]bool{"before": false, "after": true} {
			t.Run(name+", "+when, func(t *testing.T) {
				t.Parallel()
				g := &google{}
				d := g.open(t, "")
				if err := d.PutContent(t.Context(), "/a/1", []byte("content")); err != nil {
					t.Fatal(err)
				}
				var asked atomic.Int32
				g.instead = func(w http.ResponseWriter, r *http.Request) bool {
					if !action.asks(r) || asked.Add(1) > 1 {
						return false
					}
					if does {
						g.serve(httptest.NewRecorder(), r)
					} else {
						_, _ = io.Copy(io.Discard, r.Body)
					}
					reset(w)
					return true
				}
				if err := action.do(t.Context(), d); err != nil || asked.Load() < 1 {
					t.Errorf("%d requests: %v", asked.Load(), err)
				}
				if got, err := d.GetContent(t.Context(), "/a/3"); g.sessions["a/3"] != nil && (err != nil || !bytes.Equal(got, large)) {
					t.Errorf("uploaded: %d bytes: %v", len(got), err)
				}
			})
		}
	}
}

// TestBrokenChunk lets Google receive only a part of a chunk, and either say so or not answer.
func TestBrokenChunk(t *testing.T) {
	for name, breaks := range map[string]bool{"said": false, "lost": true} {
		t.Run(name, func(t *testing.T) {
			g := &google{}
			transport := g.start(t)
			raw := parameters(t, "")
			raw["chunksize"] = 3 * chunk
			d, err := newDriver(t.Context(), raw, transport)
			if err != nil {
				t.Fatal(err)
			}
			var asked atomic.Int32
			g.instead = func(w http.ResponseWriter, r *http.Request) bool {
				if !isUpload(http.MethodPut, "bytes 0-")(r) || asked.Add(1) > 1 {
					return false
				}
				rest := r.Body
				r.Body = io.NopCloser(io.LimitReader(rest, chunk+100))
				if breaks {
					g.serve(httptest.NewRecorder(), r)
				} else {
					w.Header().Set("X-Guploader-Uploadid", "1")
					g.serve(w, r)
				}
				_, _ = io.Copy(io.Discard, rest)
				if breaks {
					reset(w)
				}
				return true
			}
			content := bytes.Repeat(large, 3)
			if err := upload(t.Context(), d, "/a/1", content); err != nil {
				t.Fatal(err)
			}
			if got, err := d.GetContent(t.Context(), "/a/1"); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%d bytes: %v", len(got), err)
			}
		})
	}
}

type breaks struct {
	http.RoundTripper
	once func(*http.Request) error
}

func (b breaks) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := b.once(r); err != nil {
		return nil, err
	}
	return b.RoundTripper.RoundTrip(r)
}

// TestBrokenStream lets HTTP/2, which Google speaks, break once.
func TestBrokenStream(t *testing.T) {
	for _, words := range []string{
		"http2: client connection lost", "http2: client connection force closed via ClientConn.Close",
		"http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug=\"\"",
		"stream error: stream ID 3; INTERNAL_ERROR; received from peer",
	} {
		for name, action := range actions {
			t.Run(name+", "+words, func(t *testing.T) {
				t.Parallel()
				g := &google{}
				var asked atomic.Int32
				begun := false
				transport := breaks{g.start(t), func(r *http.Request) error {
					if begun && action.asks(r) && asked.Add(1) == 1 {
						return errors.New(words)
					}
					return nil
				}}
				d, err := newDriver(t.Context(), parameters(t, ""), transport)
				if err != nil {
					t.Fatal(err)
				}
				if err := d.PutContent(t.Context(), "/a/1", []byte("content")); err != nil {
					t.Fatal(err)
				}
				begun = true
				if err := action.do(t.Context(), d); err != nil || asked.Load() < 2 {
					t.Errorf("%d requests: %v", asked.Load(), err)
				}
			})
		}
	}
}

func TestRetry(t *testing.T) {
	busy, refused := &googleapi.Error{Code: http.StatusTooManyRequests}, &googleapi.Error{Code: http.StatusForbidden}
	ended, end := context.WithCancel(t.Context())
	end()
	for name, test := range map[string]struct {
		ctx   context.Context
		fails []error
		want  int
	}{
		"good":        {t.Context(), []error{nil}, 1},
		"busy":        {t.Context(), []error{busy, nil}, 2},
		"refused":     {t.Context(), []error{refused, nil}, 1},
		"nobody left": {ended, []error{busy, nil}, 1},
		"for ever":    {t.Context(), []error{busy, busy, busy, busy, busy, nil}, tries},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			err := retry(test.ctx, func() error {
				n++
				return test.fails[n-1]
			})
			if n != test.want || !errors.Is(err, test.fails[n-1]) {
				t.Errorf("%d tries: %v", n, err)
			}
		})
	}
}
