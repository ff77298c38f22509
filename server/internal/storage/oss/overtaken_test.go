package oss

import (
	"errors"
	"testing"

	"container-registry/server/internal/layout"
)

// TestLateWriter has a writer held up while another one, as by way of another server, commits the upload.
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

// TestIdentity tells the bytes of an upload from those that a late writer put in their place.
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
	// The buffer is full, and goes with the next byte.
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
