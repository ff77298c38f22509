package oss

import (
	"bytes"
	"errors"
	"net/http"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/storage/oss/osstest"
)

// TestLateWriter holds up a writer while another one, as of another server, commits the upload.
func TestLateWriter(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	if err := openWriter(t, d, "/upload", false).Close(); err != nil {
		t.Fatal(err)
	}
	held := openWriter(t, d, "/upload", true)
	write(t, held, []byte("late"))
	last := openWriter(t, d, "/upload", true)
	write(t, last, []byte("in time"))
	commit(t, last)
	if err := held.Close(); !errors.Is(err, layout.ErrOvertaken) {
		t.Errorf("%v", err)
	}
	assertContent(t, d, "/upload", []byte("in time"))
	assertOnly(t, s, "upload")
}

// TestIdentity distinguishes the bytes of an upload from those that a late writer put in their place.
func TestIdentity(t *testing.T) {
	const chunk = 200 << 10
	_, params := startOSS(t)
	params["chunksize"] = chunk
	d := newTestDriver(t, params)
	identity := func(w any) string { return w.(*writer).Identity() }
	w := openWriter(t, d, "/upload", false)
	write(t, w, pattern(chunk+7))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	held, last := openWriter(t, d, "/upload", true), openWriter(t, d, "/upload", true)
	if a, b := identity(w), identity(last); a != b || a == "" {
		t.Errorf("what was closed is %q, and what is opened %q", a, b)
	}
	write(t, last, pattern(2 * chunk)[chunk:])
	// The buffer is full, and is sent with the next byte.
	write(t, held, make([]byte, chunk))
	if err := last.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, held, []byte("x"))
	if err := held.Close(); !errors.Is(err, layout.ErrOvertaken) {
		t.Errorf("%v", err)
	}
	if there := openWriter(t, d, "/upload", true); there.Size() != last.Size() || identity(there) == identity(last) {
		t.Errorf("%d bytes of %d, and the same: %q", there.Size(), last.Size(), identity(there))
	}
}

// TestAnotherComplete lets another server make an object of the same size, from other parts of the same upload.
func TestAnotherComplete(t *testing.T) {
	const chunk = 200 << 10
	for name, test := range map[string]struct {
		theirs byte
		// lost is the fault that loses the answer. The request is then sent again.
		lost *osstest.Fault
		ours bool
	}{
		"others":                      {'b', nil, false},
		"others, after a lost answer": {'b', &osstest.Fault{Drop: true}, false},
		"the same":                    {'a', nil, false},
		"the same, a lost answer":     {'a', &osstest.Fault{Drop: true}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, params := startOSS(t)
			params["chunksize"] = chunk
			d := newTestDriver(t, params)
			w := openWriter(t, d, "/upload", false)
			write(t, w, pattern(chunk))
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			held, other := openWriter(t, d, "/upload", true), openWriter(t, d, "/upload", true)
			write(t, held, bytes.Repeat([]byte("a"), chunk))
			if err := held.(*writer).flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			write(t, other, bytes.Repeat([]byte{test.theirs}, chunk))
			if err := other.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			if test.lost != nil {
				s.SetFault(once("CompleteMultipartUpload", test.lost))
			}
			if err := held.Commit(t.Context()); test.ours != (err == nil) || !test.ours && !errors.Is(err, layout.ErrOvertaken) {
				t.Errorf("the other one's object is its own: %t, %v", test.ours, err)
			}
		})
	}
}

// TestLatePut holds up a plain PUT until another server has ended the upload. The PUT must replace nothing.
func TestLatePut(t *testing.T) {
	for name, size := range map[string]int{"plain": 4, "parts": 300 << 10} {
		t.Run(name, func(t *testing.T) {
			s, params := startOSS(t)
			params["chunksize"] = minPartSize
			d := newTestDriver(t, params)
			if err := openWriter(t, d, "/upload", false).Close(); err != nil {
				t.Fatal(err)
			}
			held, last := openWriter(t, d, "/upload", true), openWriter(t, d, "/upload", true)
			write(t, held, []byte("evil"))
			good := bytes.Repeat([]byte("g"), size)
			arrived, goOn := make(chan struct{}), make(chan struct{})
			s.SetFault(func(r osstest.Request) *osstest.Fault {
				if r.Op != "PutObject" {
					return nil
				}
				close(arrived)
				return &osstest.Fault{Hold: goOn}
			})
			ended := make(chan error)
			go func() { ended <- held.Commit(t.Context()) }()
			<-arrived
			s.SetFault(nil)
			write(t, last, good)
			if err := last.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			close(goOn)
			if err := <-ended; !errors.Is(err, layout.ErrOvertaken) {
				t.Errorf("%v", err)
			}
			if err := last.(*writer).Move(t.Context(), "/upload", "/blob"); err != nil {
				t.Fatal(err)
			}
			assertContent(t, d, "/blob", good)
			assertOnly(t, s, "blob")
		})
	}
}

// TestMadeBefore has an object that already exists without its writer knowing: the next attempt must find it.
func TestMadeBefore(t *testing.T) {
	for name, test := range map[string]struct {
		op    string
		fault *osstest.Fault
		again bool
	}{
		"lost answer":   {"PutObject", &osstest.Fault{DropAnswer: true}, false},
		"record stayed": {"DeleteObject", &osstest.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, params := startOSS(t)
			d := newTestDriver(t, params)
			if err := openWriter(t, d, "/upload", false).Close(); err != nil {
				t.Fatal(err)
			}
			ending := func() (*writer, error) {
				w := openWriter(t, d, "/upload", true)
				write(t, w, []byte("content"))
				return w.(*writer), w.Commit(t.Context())
			}
			s.SetFault(once(test.op, test.fault))
			w, err := ending()
			if test.again != (err != nil) {
				t.Fatal(err)
			}
			if test.again {
				if w, err = ending(); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Move(t.Context(), "/upload", "/blob"); err != nil {
				t.Fatal(err)
			}
			assertContent(t, d, "/blob", []byte("content"))
			assertOnly(t, s, "blob")
		})
	}
}

// TestMoveOfAnother has something else in the place of what was committed: no blob may be made of it.
func TestMoveOfAnother(t *testing.T) {
	for name, size := range map[string]int{"whole": 4, "parts": 300 << 10} {
		for kind, replace := range map[string]func(*testing.T, *Driver){
			"kept": nil,
			"replaced": func(t *testing.T, d *Driver) {
				if err := d.PutContent(t.Context(), "/upload", make([]byte, size)); err != nil {
					t.Fatal(err)
				}
			},
			"gone": func(t *testing.T, d *Driver) {
				if err := d.Delete(t.Context(), "/upload"); err != nil {
					t.Fatal(err)
				}
			},
		} {
			t.Run(name+", "+kind, func(t *testing.T) {
				s, params := startOSS(t)
				params["chunksize"], params["multipartcopythresholdsize"] = minPartSize, minPartSize
				d := newTestDriver(t, params)
				w := openWriter(t, d, "/upload", false)
				write(t, w, pattern(size))
				commit(t, w)
				if replace == nil {
					if err := w.(*writer).Move(t.Context(), "/upload", "/blob"); err != nil {
						t.Fatal(err)
					}
					assertContent(t, d, "/blob", pattern(size))
					assertOnly(t, s, "blob")
					return
				}
				replace(t, d)
				if err := w.(*writer).Move(t.Context(), "/upload", "/blob"); !errors.Is(err, layout.ErrOvertaken) {
					t.Errorf("%v", err)
				}
				var missing storagedriver.PathNotFoundError
				if _, err := d.Stat(t.Context(), "/blob"); !errors.As(err, &missing) {
					t.Errorf("there is a blob: %v", err)
				}
				if left := s.Uploads(); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			})
		}
	}
}
