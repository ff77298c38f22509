package oss

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/storage/oss/osstest"
)

// pattern returns n bytes that do not repeat, the same ones every time.
func pattern(n int) []byte {
	out := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(out)
	return out
}

func write(t *testing.T, w storagedriver.FileWriter, data []byte) {
	t.Helper()
	if n, err := w.Write(data); err != nil || n != len(data) {
		t.Fatalf("wrote %d of %d: %v", n, len(data), err)
	}
}

func openWriter(t *testing.T, d *Driver, path string, appendMode bool) storagedriver.FileWriter {
	t.Helper()
	w, err := d.Writer(t.Context(), path, appendMode)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func commit(t *testing.T, w storagedriver.FileWriter) {
	t.Helper()
	if err := w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func assertContent(t *testing.T, d *Driver, path string, want []byte) {
	t.Helper()
	got, err := d.GetContent(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has %d bytes that differ from the %d expected", path, len(got), len(want))
	}
}

// assertOnly checks that nothing but the given keys is in the bucket, and no
// multipart upload.
func assertOnly(t *testing.T, s *osstest.Server, keys ...string) {
	t.Helper()
	got := []string{}
	for _, o := range s.Objects() {
		got = append(got, o.Key)
	}
	if !slices.Equal(got, keys) {
		t.Errorf("objects: %v, want %v", got, keys)
	}
	if uploads := s.Uploads(); len(uploads) > 0 {
		t.Errorf("uploads left behind: %v", uploads)
	}
}

// A blob of 300 MB must not cost more memory than a few chunks. The server, in
// the same process, is part of what is measured.
func TestLargeBlobInConstantMemory(t *testing.T) {
	const size = 300_000_000
	const chunk = 4 << 20
	s, params := startOSS(t)
	params["chunksize"] = chunk
	d := newTestDriver(t, params)
	block := pattern(1 << 20)
	sum := sha256.New()
	w := openWriter(t, d, "/blob", false)
	before, peak := memory(), uint64(0)
	for left := size; left > 0; {
		n := min(left, len(block))
		write(t, w, block[:n])
		sum.Write(block[:n])
		left -= n
		peak = max(peak, memory().HeapAlloc)
	}
	commit(t, w)
	live, allocated := int64(peak)-int64(before.HeapAlloc), memory().TotalAlloc-before.TotalAlloc
	t.Logf("300 MB in chunks of 4 MiB: live heap grew by %d bytes at most, %d bytes were allocated in all", live, allocated)
	if live > 2*chunk {
		t.Errorf("the live heap grew by %d bytes for a chunk of %d", live, chunk)
	}
	if allocated > size/4 {
		t.Errorf("%d bytes were allocated", allocated)
	}
	if o := s.Objects(); len(o) != 1 || o[0].Size != size || o[0].Kind != "Multipart" {
		t.Errorf("objects: %v", o)
	}
	assertOnly(t, s, "blob")

	r, err := d.Reader(t.Context(), "/blob", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := sha256.New()
	if _, err := io.Copy(got, r); err != nil || !bytes.Equal(got.Sum(nil), sum.Sum(nil)) {
		t.Errorf("the blob came back changed: %v", err)
	}
}

// memory counts what is live, not the garbage.
func memory() runtime.MemStats {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m
}

// Each step is written by a driver of its own, as if the process had been
// restarted in between.
func TestResumeAfterRestart(t *testing.T) {
	const chunk = int(minPartSize)
	for _, test := range []struct {
		name  string
		steps []int
	}{
		{"nothing at first, as a registry does", []int{0, 50, 0}},
		{"less than a part each", []int{10, 20, 30}},
		{"less than a part, then more", []int{chunk - 1, chunk * 3, 5}},
		{"exactly a part each", []int{chunk, chunk, chunk}},
		{"exactly a part, then nothing", []int{chunk, 0, 0}},
		{"a part and a tail each", []int{chunk + 7, 2*chunk + 7, 3*chunk + 7}},
		{"tails that add up to a part", []int{chunk / 2, chunk / 2, chunk / 2, chunk / 2}},
		{"many parts", []int{10 * chunk, 1, 10 * chunk}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, params := startOSS(t)
			params["chunksize"] = chunk
			total := 0
			for _, n := range test.steps {
				total += n
			}
			data := pattern(total)
			at := 0
			for i, n := range test.steps {
				w := openWriter(t, newTestDriver(t, params), "/up/data", i > 0)
				if w.Size() != int64(at) {
					t.Fatalf("step %d resumes at %d, want %d", i, w.Size(), at)
				}
				write(t, w, data[at:at+n])
				at += n
				if i == len(test.steps)-1 {
					commit(t, w)
				} else if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				if w.Size() != int64(at) {
					t.Fatalf("size %d after step %d, want %d", w.Size(), i, at)
				}
			}
			assertContent(t, newTestDriver(t, params), "/up/data", data)
			assertOnly(t, s, "up/data")
		})
	}
}

// A process that dies calls no Close. Whatever it had uploaded in parts counts;
// what it held in memory is lost, and Size says so.
func TestResumeAfterCrash(t *testing.T) {
	const chunk = int(minPartSize)
	data := pattern(6 * chunk)
	s, params := startOSS(t)
	params["chunksize"] = chunk

	w := openWriter(t, newTestDriver(t, params), "/data", false)
	write(t, w, data[:10])
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// Crash with the tail still on record and a buffer not yet uploaded.
	w = openWriter(t, newTestDriver(t, params), "/data", true)
	write(t, w, data[10:chunk])
	if w = openWriter(t, newTestDriver(t, params), "/data", true); w.Size() != 10 {
		t.Fatalf("size %d, want the 10 bytes that were closed", w.Size())
	}
	// Crash after the tail went into a part.
	write(t, w, data[10:2*chunk+5])
	if w = openWriter(t, newTestDriver(t, params), "/data", true); w.Size() != int64(2*chunk) {
		t.Fatalf("size %d, want two parts", w.Size())
	}
	// Close with a tail behind parts, then crash while it is in memory again.
	write(t, w, data[2*chunk:3*chunk+5])
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = openWriter(t, newTestDriver(t, params), "/data", true)
	write(t, w, data[3*chunk+5:3*chunk+9])
	if w = openWriter(t, newTestDriver(t, params), "/data", true); w.Size() != int64(3*chunk+5) {
		t.Fatalf("size %d, want three parts and the tail", w.Size())
	}
	write(t, w, data[3*chunk+5:])
	commit(t, w)
	assertContent(t, newTestDriver(t, params), "/data", data)
	assertOnly(t, s, "data")
}

// A crash after the multipart upload began, but before it had a part, must not
// lose the tail that was on record.
func TestResumeBeforeTheFirstPart(t *testing.T) {
	s, params := startOSS(t)
	params["chunksize"] = minPartSize
	d := newTestDriver(t, params)
	data := pattern(300 << 10)
	w := openWriter(t, d, "/data", false)
	write(t, w, data[:10])
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = openWriter(t, d, "/data", true)
	s.SetFault(once("UploadPart", &osstest.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}))
	if n, err := w.Write(data[10:]); err == nil || n != int(minPartSize)-10 {
		t.Fatalf("wrote %d: %v", n, err)
	}
	if w = openWriter(t, d, "/data", true); w.Size() != 10 {
		t.Fatalf("size %d", w.Size())
	}
	write(t, w, data[10:])
	commit(t, w)
	assertContent(t, d, "/data", data)
	assertOnly(t, s, "data")
}

// The chunk size may be lowered between two starts of the registry, below the
// size of a tail on record.
func TestResumeWithSmallerChunk(t *testing.T) {
	s, params := startOSS(t)
	data := pattern(2 << 20)
	d := newTestDriver(t, params)
	if err := d.StorageDriver.(*driver).saveRecord(t.Context(), "data", record{tail: data[:1<<20]}); err != nil {
		t.Fatal(err)
	}
	params["chunksize"] = minPartSize
	w := openWriter(t, newTestDriver(t, params), "/data", true)
	if w.Size() != 1<<20 {
		t.Fatalf("size %d", w.Size())
	}
	write(t, w, data[1<<20:])
	commit(t, w)
	assertContent(t, d, "/data", data)
	assertOnly(t, s, "data")
}

// Late in an upload, tails no longer use up part numbers.
func TestTailsSpareLatePartNumbers(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	w := openWriter(t, d, "/data", false).(*writer)
	w.parts = make([]part, maxParts/2)
	write(t, w, pattern(1<<20))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	assertOnly(t, s, "data"+recordSuffix)
}

func TestSmallBlobNeedsNoMultipart(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	s.Requests()
	w := openWriter(t, d, "/data", false)
	write(t, w, pattern(1000))
	commit(t, w)
	var ops []string
	for _, r := range s.Requests() {
		ops = append(ops, r.Op)
	}
	if got := strings.Join(ops, " "); got != "GetObject PutObject" {
		t.Errorf("requests: %s", got)
	}
}

func TestEmptyBlob(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	commit(t, openWriter(t, d, "/data", false))
	assertContent(t, d, "/data", []byte{})
	assertOnly(t, s, "data")
}

// Starting over gives up the earlier upload, parts and all.
func TestStartingOver(t *testing.T) {
	s, params := startOSS(t)
	params["chunksize"] = minPartSize
	d := newTestDriver(t, params)
	w := openWriter(t, d, "/data", false)
	write(t, w, pattern(300<<10))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if uploads := s.Uploads(); len(uploads) != 1 {
		t.Fatalf("uploads: %v", uploads)
	}
	w = openWriter(t, d, "/data", false)
	if w.Size() != 0 {
		t.Errorf("size %d", w.Size())
	}
	assertOnly(t, s)
	write(t, w, []byte("new"))
	commit(t, w)
	assertContent(t, d, "/data", []byte("new"))
}

func TestAppendErrors(t *testing.T) {
	_, params := startOSS(t)
	d := newTestDriver(t, params)
	var missing storagedriver.PathNotFoundError
	if _, err := d.Writer(t.Context(), "/nothing", true); !errors.As(err, &missing) {
		t.Errorf("append to nothing: %v", err)
	}
	if err := d.PutContent(t.Context(), "/full", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Writer(t.Context(), "/full", true); err == nil || !strings.Contains(err.Error(), "complete and not empty") {
		t.Errorf("append to a finished object: %v", err)
	}
}

// An upload that the bucket's lifecycle rules ended is unknown, not broken.
func TestAppendToExpiredUpload(t *testing.T) {
	s, params := startOSS(t)
	params["chunksize"] = minPartSize
	d := newTestDriver(t, params)
	w := openWriter(t, d, "/data", false)
	write(t, w, pattern(300<<10))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.StorageDriver.(*driver).abort(t.Context(), "data", w.(*writer).uploadID); err != nil {
		t.Fatal(err)
	}
	var missing storagedriver.PathNotFoundError
	if _, err := d.Writer(t.Context(), "/data", true); !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
	assertOnly(t, s)
}

func TestCancelLeavesNothing(t *testing.T) {
	for _, test := range []struct {
		name string
		size int
		then func(t *testing.T, w storagedriver.FileWriter)
	}{
		{"before a write", 0, nil},
		{"with a buffer", 1000, nil},
		{"with parts", 300 << 10, nil},
		{"after Close", 300<<10 + 5, func(t *testing.T, w storagedriver.FileWriter) {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}},
		{"after Commit and Close, as a registry does", 300 << 10, commit},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, params := startOSS(t)
			params["chunksize"] = minPartSize
			w := openWriter(t, newTestDriver(t, params), "/data", false)
			write(t, w, pattern(test.size))
			if test.then != nil {
				test.then(t, w)
			}
			if err := w.Cancel(t.Context()); err != nil {
				t.Fatal(err)
			}
			assertOnly(t, s)
			if err := w.Cancel(t.Context()); err != nil {
				t.Errorf("a second Cancel: %v", err)
			}
		})
	}
}

// Commit finished the object but could not remove its record.
func TestCancelAfterHalfACommit(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	w := openWriter(t, d, "/data", false)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = openWriter(t, d, "/data", true)
	s.SetFault(once("DeleteObject", &osstest.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}))
	if err := w.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Fatalf("got %v", err)
	}
	if err := w.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	assertOnly(t, s)
}

func TestUseAfterTheEnd(t *testing.T) {
	_, params := startOSS(t)
	d := newTestDriver(t, params)
	for _, test := range []struct {
		name, want string
		end        func(w storagedriver.FileWriter) error
	}{
		{"closed", "already closed", func(w storagedriver.FileWriter) error { return w.Close() }},
		{"committed", "already committed", func(w storagedriver.FileWriter) error { return w.Commit(t.Context()) }},
		{"cancelled", "already cancelled", func(w storagedriver.FileWriter) error { return w.Cancel(t.Context()) }},
	} {
		w := openWriter(t, d, "/"+test.name, false)
		if err := test.end(w); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err == nil || err.Error() != test.want {
			t.Errorf("Write when %s: %v", test.name, err)
		}
		if err := w.Commit(t.Context()); err == nil || err.Error() != test.want {
			t.Errorf("Commit when %s: %v", test.name, err)
		}
	}
	w := openWriter(t, d, "/twice", false)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil {
		t.Error("a second Close succeeded")
	}
}

func TestTooManyParts(t *testing.T) {
	_, params := startOSS(t)
	w := openWriter(t, newTestDriver(t, params), "/data", false).(*writer)
	w.uploadID, w.parts = "any", []part{{number: maxParts}}
	w.buf = []byte("x")
	if err := w.flush(t.Context()); err == nil || !strings.Contains(err.Error(), "raise chunksize") {
		t.Errorf("got %v", err)
	}
}

// The client goes away in the middle of its request. Close runs after that, and
// keeps what had arrived.
func TestCloseAfterTheClientLeft(t *testing.T) {
	_, params := startOSS(t)
	d := newTestDriver(t, params)
	ctx, cancel := context.WithCancel(t.Context())
	w, err := d.Writer(ctx, "/data", false)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, []byte("arrived"))
	cancel()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w = openWriter(t, d, "/data", true); w.Size() != 7 {
		t.Errorf("size %d", w.Size())
	}
}

// OSS finished the object but its answer was lost. The retry finds no upload.
func TestLostAnswerToComplete(t *testing.T) {
	s, params := startOSS(t)
	params["chunksize"] = minPartSize
	d := newTestDriver(t, params)
	s.SetFault(once("CompleteMultipartUpload", &osstest.Fault{DropAnswer: true}))
	data := pattern(300 << 10)
	w := openWriter(t, d, "/data", false)
	write(t, w, data)
	commit(t, w)
	assertContent(t, d, "/data", data)
	assertOnly(t, s, "data")
}

// A failed Commit loses nothing. It can be tried again, or more can be written
// first, by this writer or by that of another process.
func TestCommitAgain(t *testing.T) {
	for _, test := range []struct {
		name    string
		size    int
		restart bool
		more    int
	}{
		{"same writer", 300<<10 + 5, false, 0},
		{"same writer, more data", 300<<10 + 5, false, 300 << 10},
		{"after a restart", 300<<10 + 5, true, 0},
		{"after a restart, more data", 300<<10 + 5, true, 300 << 10},
		{"after a restart, whole parts", 300 << 10, true, 300 << 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, params := startOSS(t)
			params["chunksize"] = minPartSize
			data := pattern(test.size + test.more)
			w := openWriter(t, newTestDriver(t, params), "/data", false)
			write(t, w, data[:test.size])
			s.SetFault(once("CompleteMultipartUpload", &osstest.Fault{Status: http.StatusForbidden, Code: "AccessDenied"}))
			if err := w.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
				t.Fatalf("got %v", err)
			}
			if test.restart {
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
				w = openWriter(t, newTestDriver(t, params), "/data", true)
			}
			if w.Size() != int64(test.size) {
				t.Fatalf("size %d", w.Size())
			}
			write(t, w, data[test.size:])
			commit(t, w)
			assertContent(t, newTestDriver(t, params), "/data", data)
			assertOnly(t, s, "data")
		})
	}
}

func TestEncryption(t *testing.T) {
	for _, test := range []struct {
		name              string
		extra             map[string]any
		encryption, keyID string
	}{
		{"none", nil, "", ""},
		{"AES256", map[string]any{"encrypt": true}, "AES256", ""},
		{"KMS", map[string]any{"encrypt": true, "encryptionkeyid": "key-1"}, "KMS", "key-1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, params := startOSS(t)
			params["chunksize"], params["multipartcopythresholdsize"] = minPartSize, minPartSize
			for name, value := range test.extra {
				params[name] = value
			}
			d := newTestDriver(t, params)
			if err := d.PutContent(t.Context(), "/put", []byte("x")); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"/parts", "/source"} {
				w := openWriter(t, d, path, false)
				write(t, w, pattern(300<<10))
				commit(t, w)
			}
			if err := d.Move(t.Context(), "/source", "/moved"); err != nil {
				t.Fatal(err)
			}
			if err := d.Move(t.Context(), "/put", "/movedput"); err != nil {
				t.Fatal(err)
			}
			w := openWriter(t, d, "/open", false)
			write(t, w, []byte("tail"))
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			objects := s.Objects()
			if len(objects) != 4 {
				t.Errorf("objects: %v", objects)
			}
			for _, o := range objects {
				if o.Encryption != test.encryption || o.KeyID != test.keyID || o.ContentType != contentType {
					t.Errorf("%+v", o)
				}
			}
		})
	}
}
