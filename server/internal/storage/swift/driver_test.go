package swift

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	ncw "github.com/ncw/swift/v2"

	"container-registry/server/internal/layout"
)

const (
	uploadPath = "/docker/registry/v2/repositories/team/app/_uploads/0b2f/data"
	uploadDir  = "/docker/registry/v2/repositories/team/app/_uploads/0b2f"
	blobPath   = "/docker/registry/v2/blobs/sha256/ab/abcd/data"
	blobDir    = "/docker/registry/v2/blobs/sha256/ab/abcd"
)

// write writes content to a new file and commits it.
func write(t testing.TB, d *driver, path string, content io.Reader) {
	t.Helper()
	w := writerAt(t, d, path, false)
	copyTo(t, w, content)
	commit(t, w)
}

func writerAt(t testing.TB, d *driver, path string, appendTo bool) *writer {
	t.Helper()
	w, err := d.Writer(context.Background(), path, appendTo)
	if err != nil {
		t.Fatal(err)
	}
	return w.(*writer)
}

func copyTo(t testing.TB, w io.Writer, content io.Reader) {
	t.Helper()
	if _, err := io.Copy(w, content); err != nil {
		t.Fatal(err)
	}
}

func commit(t testing.TB, w *writer) {
	t.Helper()
	if err := w.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func closeWriter(t testing.TB, w *writer) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func readFile(t testing.TB, d *driver, path string) string {
	t.Helper()
	r, err := d.Reader(context.Background(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return digestOf(t, r)
}

// stored are the names of all objects in a driver's container, with the time of their last change.
func stored(t testing.TB, d *driver) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := d.pages(context.Background(), query{}, func(entries []entry) error {
		for _, e := range entries {
			all[e.Name] = e.Modified
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// storedSegments are the segments in a driver's container, without the claims.
func storedSegments(t testing.TB, d *driver) map[string]string {
	t.Helper()
	segments := stored(t, d)
	for name := range segments {
		if !strings.HasPrefix(name, d.root+"segments/") || path.Base(name) == "committed" {
			delete(segments, name)
		}
	}
	return segments
}

func wantEmpty(t testing.TB, d *driver) {
	t.Helper()
	if left := stored(t, d); len(left) > 0 {
		t.Errorf("%d objects are left: %v", len(left), left)
	}
}

func wantFile(t testing.TB, d *driver, path string, content io.Reader) {
	t.Helper()
	if got, want := readFile(t, d, path), digestOf(t, content); got != want {
		t.Errorf("%s has %s, want %s", path, got, want)
	}
}

// TestLargeBlob takes a blob through what the engine does with it: an upload in several requests, each with a writer
// and here even a process of its own, the check of the digest, the move to its place, and its deletion.
func TestLargeBlob(t *testing.T) {
	const size, first = 300 * mib, 130*mib + 12345
	parameters := newContainer(t)
	ctx := context.Background()
	content := randomContent(1, size)
	heap := watchHeap(t)

	begun := time.Now()
	closeWriter(t, writerAt(t, open(t, parameters), uploadPath, false)) // POST
	w := writerAt(t, open(t, parameters), uploadPath, true)             // PATCH
	copyTo(t, w, io.LimitReader(content, first))
	closeWriter(t, w)
	if w.Size() != first {
		t.Fatalf("size %d after the first part, want %d", w.Size(), first)
	}
	w = writerAt(t, open(t, parameters), uploadPath, true) // PATCH, after the registry was started again
	if w.Size() != first {
		t.Fatalf("size %d to go on from, want %d", w.Size(), first)
	}
	copyTo(t, w, content)
	closeWriter(t, w)
	d := open(t, parameters)
	w = writerAt(t, d, uploadPath, true) // PUT
	if w.Size() != size {
		t.Fatalf("size %d to commit, want %d", w.Size(), size)
	}
	commit(t, w)
	took := time.Since(begun)
	t.Logf("written at %.0f MB/s, heap grew by at most %d MiB", size/took.Seconds()/1e6, heap()/mib)

	info, err := d.Stat(ctx, uploadPath)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != size || info.IsDir() || time.Since(info.ModTime()).Abs() > time.Minute {
		t.Errorf("stat tells size %d, folder %t, time %s", info.Size(), info.IsDir(), info.ModTime())
	}
	segments := storedSegments(t, d)
	if len(segments) < size/defaultChunkSize || len(segments) > size/defaultChunkSize+3 {
		t.Errorf("%d segments", len(segments))
	}

	if err := d.Move(ctx, uploadPath, blobPath); err != nil {
		t.Fatal(err)
	}
	if moved := storedSegments(t, d); !reflect.DeepEqual(moved, segments) {
		t.Errorf("segments changed by Move: %v, before %v", moved, segments)
	}
	if err := d.Delete(ctx, uploadDir); !isPathNotFound(err) {
		t.Errorf("deleting the upload's folder after Move: %v", err)
	}

	begun = time.Now()
	wantFile(t, d, blobPath, randomContent(1, size))
	t.Logf("read and compared at %.0f MB/s", size/time.Since(begun).Seconds()/1e6)
	r, err := d.Reader(ctx, blobPath, first)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rest := randomContent(1, size)
	copyTo(t, io.Discard, io.LimitReader(rest, first))
	if got, want := digestOf(t, r), digestOf(t, rest); got != want {
		t.Errorf("from byte %d it has %s, want %s", first, got, want)
	}

	// Each of the drivers here has buffers for two segments, which Go's garbage collector may free late.
	if most := heap(); most > 8*defaultChunkSize {
		t.Errorf("heap grew by %d MiB", most/mib)
	}
	if err := d.Delete(ctx, blobDir); err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, d)
}

// watchHeap returns a function that tells how much the heap has grown at most.
func watchHeap(t testing.TB) func() uint64 {
	t.Helper()
	// The engine's test suite keeps 128 MiB, which would let the collector be lazy.
	percent := debug.SetGCPercent(10)
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var most atomic.Uint64
	stop := make(chan struct{})
	t.Cleanup(func() {
		close(stop)
		debug.SetGCPercent(percent)
	})
	go func() {
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				var stats runtime.MemStats
				runtime.ReadMemStats(&stats)
				most.Store(max(most.Load(), stats.HeapInuse-min(stats.HeapInuse, before.HeapInuse)))
			}
		}
	}()
	return most.Load
}

// TestResumeAfterDeath resumes uploads whose process died: segments it stored after its last Close must neither be
// taken for content nor stay.
func TestResumeAfterDeath(t *testing.T) {
	ctx := context.Background()
	for name, rest := range map[string]int64{"with more segments": 9 * mib, "with fewer segments": 2*mib + 5, "without a segment": 7} {
		t.Run(name, func(t *testing.T) {
			parameters := with(newContainer(t), "chunksize", mib)
			w := writerAt(t, open(t, parameters), uploadPath, false)
			copyTo(t, w, randomContent(1, 3*mib+100))
			closeWriter(t, w)

			dying := writerAt(t, open(t, parameters), uploadPath, true)
			copyTo(t, dying, randomContent(2, 4*mib+50))
			if err := dying.settle(); err != nil {
				t.Fatal(err)
			}

			d := open(t, parameters)
			w = writerAt(t, d, uploadPath, true)
			if w.Size() != 3*mib+100 {
				t.Fatalf("size %d to go on from", w.Size())
			}
			copyTo(t, w, randomContent(3, rest))
			commit(t, w)
			wantFile(t, d, uploadPath, io.MultiReader(randomContent(1, 3*mib+100), randomContent(3, rest)))

			obj, err := d.head(ctx, d.fileName(uploadPath))
			if err != nil {
				t.Fatal(err)
			}
			set, err := d.segmentsOf(ctx, uploadPath, obj)
			if err != nil {
				t.Fatal(err)
			}
			if segments := storedSegments(t, d); len(segments) != len(set.names) {
				t.Errorf("%d segments stored, %d in use", len(segments), len(set.names))
			}
			if err := aged(d).Delete(ctx, uploadDir); err != nil {
				t.Fatal(err)
			}
			wantEmpty(t, d)
		})
	}
}

// TestLateWriter holds up a writer while another one, as of another server, continues the upload and commits it. The
// late writer must fail, and the blob must stay whole, whatever is deleted then.
func TestLateWriter(t *testing.T) {
	ctx := context.Background()
	for name, late := range map[string]func(w *writer) error{
		"close":  func(w *writer) error { return w.Close() },
		"commit": func(w *writer) error { return w.Commit(ctx) },
	} {
		t.Run(name, func(t *testing.T) {
			parameters := with(newContainer(t), "chunksize", mib)
			w := writerAt(t, open(t, parameters), uploadPath, false)
			copyTo(t, w, randomContent(1, 2*mib))
			closeWriter(t, w)

			held := writerAt(t, open(t, parameters), uploadPath, true)
			copyTo(t, held, randomContent(2, 2*mib+50))

			d := open(t, parameters)
			w = writerAt(t, d, uploadPath, true)
			copyTo(t, w, randomContent(3, 3*mib))
			commit(t, w)
			if err := late(held); !errors.Is(err, layout.ErrOvertaken) {
				t.Errorf("%v", err)
			}
			if err := d.Move(ctx, uploadPath, blobPath); err != nil {
				t.Fatal(err)
			}
			// As if the writer had seen the record just before the record was deleted.
			if err := d.saveUpload(ctx, uploadPath, held.upload, ncw.Headers{}); err != nil {
				t.Fatal(err)
			}
			if err := d.Delete(ctx, uploadDir); err != nil {
				t.Fatal(err)
			}
			wantFile(t, d, blobPath, io.MultiReader(randomContent(1, 2*mib), randomContent(3, 3*mib)))
			if err := d.Delete(ctx, blobPath); err != nil {
				t.Fatal(err)
			}
			wantEmpty(t, d)
		})
	}
}

// TestOldRecord continues an upload that the previous version began, or deletes it.
func TestOldRecord(t *testing.T) {
	ctx := context.Background()
	for name, goOn := range map[string]bool{"gone on with": true, "deleted": false} {
		t.Run(name, func(t *testing.T) {
			d := open(t, with(newContainer(t), "chunksize", mib))
			content := make([]byte, mib)
			if _, err := io.ReadFull(randomContent(1, mib), content); err != nil {
				t.Fatal(err)
			}
			put := func(name string, content []byte) {
				t.Helper()
				if _, err := d.client.do(ctx, request{method: http.MethodPut, object: name, body: content}); err != nil {
					t.Fatal(err)
				}
			}
			put(d.segmentPrefix("old")+"00000001", content)
			put(d.segmentPrefix("old")+"00000002", []byte("of a session that died"))
			put(d.recordName(uploadPath), fmt.Appendf(nil, `{"version":1,"upload":"old","segments":[{"n":1,"size":%d,"etag":%q}]}`+"\n", mib, checksum(content)))
			if goOn {
				w := writerAt(t, d, uploadPath, true)
				copyTo(t, w, randomContent(2, 2*mib))
				commit(t, w)
				wantFile(t, d, uploadPath, io.MultiReader(randomContent(1, mib), randomContent(2, 2*mib)))
			}
			if err := aged(d).Delete(ctx, uploadDir); err != nil {
				t.Fatal(err)
			}
			wantEmpty(t, d)
		})
	}
}

// TestSmallUpload appends often and little: no segment may be stored for it.
func TestSmallUpload(t *testing.T) {
	d := open(t, newContainer(t))
	closeWriter(t, writerAt(t, d, uploadPath, false))
	for range 20 {
		w := writerAt(t, d, uploadPath, true)
		copyTo(t, w, strings.NewReader("0123456789"))
		closeWriter(t, w)
	}
	w := writerAt(t, d, uploadPath, true)
	if w.Size() != 200 {
		t.Errorf("size %d", w.Size())
	}
	commit(t, w)
	wantFile(t, d, uploadPath, strings.NewReader(strings.Repeat("0123456789", 20)))
	if all := stored(t, d); len(all) != 1 {
		t.Errorf("stored are %v", all)
	}
}

// TestNestedManifests has more segments than the cluster takes in one manifest.
func TestNestedManifests(t *testing.T) {
	ctx := context.Background()
	const size = 21*mib + 1
	d := open(t, with(newContainer(t), "chunksize", mib))
	d.limits.segments = 4 // 22 segments, 6 manifests of them, 2 of those
	write(t, d, uploadPath, randomContent(1, size))
	wantFile(t, d, uploadPath, randomContent(1, size))
	if err := d.Move(ctx, uploadPath, blobPath); err != nil {
		t.Fatal(err)
	}
	wantFile(t, d, blobPath, randomContent(1, size))
	if n := len(storedSegments(t, d)); n != 22+6+2 {
		t.Errorf("%d segments and manifests of them", n)
	}
	if err := d.Delete(ctx, blobPath); err != nil {
		t.Fatal(err)
	}
	wantEmpty(t, d)
}

func TestReplacing(t *testing.T) {
	ctx := context.Background()
	big := func(seed byte) io.Reader { return randomContent(seed, 3*mib) }
	for name, test := range map[string]struct {
		replace func(t *testing.T, d *driver)
		want    io.Reader
		left    int
	}{
		"large by large": {func(t *testing.T, d *driver) { write(t, d, blobPath, big(2)) }, big(2), 3},
		"large by small": {func(t *testing.T, d *driver) { write(t, d, blobPath, strings.NewReader("x")) }, strings.NewReader("x"), 0},
		"large by content": {func(t *testing.T, d *driver) {
			if err := d.PutContent(ctx, blobPath, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}, strings.NewReader("x"), 0},
		"large by moved large": {func(t *testing.T, d *driver) {
			write(t, d, uploadPath, big(3))
			if err := d.Move(ctx, uploadPath, blobPath); err != nil {
				t.Fatal(err)
			}
		}, big(3), 3},
		"large by moved small": {func(t *testing.T, d *driver) {
			write(t, d, uploadPath, strings.NewReader("y"))
			if err := d.Move(ctx, uploadPath, blobPath); err != nil {
				t.Fatal(err)
			}
		}, strings.NewReader("y"), 0},
		"upload begun again": {func(t *testing.T, d *driver) {
			w := writerAt(t, d, uploadPath, false)
			copyTo(t, w, big(4))
			closeWriter(t, w)
			write(t, d, uploadPath, strings.NewReader("z"))
		}, big(1), 3},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, with(newContainer(t), "chunksize", mib))
			write(t, d, blobPath, big(1))
			test.replace(t, d)
			wantFile(t, d, blobPath, test.want)
			if n := len(storedSegments(t, d)); n != test.left {
				t.Errorf("%d segments are stored, want %d", n, test.left)
			}
		})
	}
}

// TestUncommitted looks at a file while another one is written in its place.
func TestUncommitted(t *testing.T) {
	d := open(t, with(newContainer(t), "chunksize", mib))
	if err := d.PutContent(context.Background(), blobPath, []byte("old")); err != nil {
		t.Fatal(err)
	}
	w := writerAt(t, d, blobPath, false)
	copyTo(t, w, randomContent(1, 2*mib+1))
	wantFile(t, d, blobPath, strings.NewReader("old"))
	closeWriter(t, w)
	wantFile(t, d, blobPath, strings.NewReader("old"))
	commit(t, writerAt(t, d, blobPath, true))
	wantFile(t, d, blobPath, randomContent(1, 2*mib+1))
}

func TestCancel(t *testing.T) {
	ctx := context.Background()
	for name, prepare := range map[string]func(t *testing.T, w *writer){
		"nothing written": func(t *testing.T, w *writer) {},
		"written":         func(t *testing.T, w *writer) { copyTo(t, w, randomContent(1, 4*mib+1)) },
		"closed": func(t *testing.T, w *writer) {
			copyTo(t, w, randomContent(1, 4*mib+1))
			closeWriter(t, w)
		},
		"committed": func(t *testing.T, w *writer) { // the engine found another digest than the client's
			copyTo(t, w, randomContent(1, 4*mib+1))
			commit(t, w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, with(newContainer(t), "chunksize", mib))
			w := writerAt(t, d, uploadPath, false)
			prepare(t, w)
			if err := w.Cancel(ctx); err != nil {
				t.Fatal(err)
			}
			wantEmpty(t, d)
			if err := w.Cancel(ctx); err == nil {
				t.Error("could be cancelled twice")
			}
			if _, err := w.Write([]byte("x")); err == nil {
				t.Error("could be written to")
			}
			if err := w.Commit(ctx); err == nil {
				t.Error("could be committed")
			}
		})
	}
	t.Run("committed and moved", func(t *testing.T) {
		d := open(t, with(newContainer(t), "chunksize", mib))
		w := writerAt(t, d, uploadPath, false)
		copyTo(t, w, randomContent(1, 4*mib+1))
		commit(t, w)
		if err := d.Move(ctx, uploadPath, blobPath); err != nil {
			t.Fatal(err)
		}
		if err := w.Cancel(ctx); err != nil {
			t.Fatal(err)
		}
		wantFile(t, d, blobPath, randomContent(1, 4*mib+1))
	})
}

func TestAppendErrors(t *testing.T) {
	ctx := context.Background()
	d := open(t, newContainer(t))
	if _, err := d.Writer(ctx, uploadPath, true); !isPathNotFound(err) {
		t.Errorf("appending to nothing: %v", err)
	}
	if err := d.PutContent(ctx, uploadPath, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Writer(ctx, uploadPath, true); err == nil || !strings.Contains(err.Error(), "can't be appended to") {
		t.Errorf("appending to a committed file: %v", err)
	}
}

// TestDeleteFolder deletes a folder with small files, large ones, an empty one and uploads that were not committed.
func TestDeleteFolder(t *testing.T) {
	ctx := context.Background()
	for name, bulk := range map[string]bool{"in bulk": true, "one by one": false} {
		t.Run(name, func(t *testing.T) {
			d := open(t, with(newContainer(t), "chunksize", mib, "rootdirectory", "root"))
			if !bulk {
				d.limits.bulk = 0
			}
			for i := range 5 {
				write(t, d, fmt.Sprintf("/folder/%d/large", i), randomContent(byte(i), 2*mib+1))
				w := writerAt(t, d, fmt.Sprintf("/folder/%d/upload", i), false)
				copyTo(t, w, randomContent(1, 2*mib+1))
				closeWriter(t, w)
				for _, path := range []string{"small", "a/b"} {
					if err := d.PutContent(ctx, fmt.Sprintf("/folder/%d/%s", i, path), []byte("x")); err != nil {
						t.Fatal(err)
					}
				}
			}
			for _, path := range []string{"/folder/empty", "/folder-2/kept"} {
				if err := d.PutContent(ctx, path, nil); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Delete(ctx, "/folder"); err != nil {
				t.Fatal(err)
			}
			if left := stored(t, d); len(left) != 1 || left["root/files/folder-2/kept"] == "" {
				t.Errorf("left are %v", left)
			}
			if err := d.Delete(ctx, "/folder"); !isPathNotFound(err) {
				t.Errorf("deleting it again: %v", err)
			}
		})
	}
	t.Run("only an upload", func(t *testing.T) {
		d := open(t, with(newContainer(t), "chunksize", mib))
		w := writerAt(t, d, uploadPath, false)
		copyTo(t, w, randomContent(1, 2*mib+1))
		closeWriter(t, w)
		if err := d.Delete(ctx, uploadDir); err != nil {
			t.Fatal(err)
		}
		wantEmpty(t, d)
	})
}

// TestLargeFolder lists, walks and deletes more files than fit in a page of a listing.
func TestLargeFolder(t *testing.T) {
	files := 12000
	if testing.Short() {
		files = 1200
	}
	ctx := context.Background()
	parameters := newContainer(t)
	d := open(t, parameters)

	var archive bytes.Buffer
	tarball := tar.NewWriter(&archive)
	want := []string{}
	for i := range files {
		path := fmt.Sprintf("/folder/%05d", i)
		if i%3 == 0 {
			path += "/file"
		}
		want = append(want, strings.TrimSuffix(path, "/file"))
		if err := tarball.WriteHeader(&tar.Header{Name: d.fileName(path), Mode: 0o600, Size: 1, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := tarball.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := tarball.Close(); err != nil {
		t.Fatal(err)
	}
	conn := connection(t, swiftAccount(t))
	conn.Timeout = 10 * time.Minute
	result, err := conn.BulkUpload(ctx, d.client.container, &archive, ncw.UploadTar, nil)
	if err != nil || result.NumberCreated != int64(files) {
		t.Fatalf("%d files made: %v", result.NumberCreated, err)
	}

	for _, page := range []int{d.limits.listing, 500} {
		d.limits.listing = page
		begun := time.Now()
		got, err := d.List(ctx, "/folder")
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("listed %d in %s, in pages of %d", len(got), time.Since(begun).Round(time.Millisecond), page)
		if !slices.Equal(got, want) {
			t.Errorf("listed %d entries, want %d", len(got), len(want))
		}
	}

	begun := time.Now()
	walked := 0
	err = d.Walk(ctx, "/folder", func(info storagedriver.FileInfo) error {
		if !info.IsDir() {
			walked++
			if info.Size() != 1 {
				t.Errorf("%s has size %d", info.Path(), info.Size())
			}
		}
		if info.IsDir() && info.Path() != "/folder/00000" {
			return storagedriver.ErrSkipDir
		}
		return nil
	})
	if err != nil || walked != files*2/3+1 {
		t.Errorf("walked over %d files: %v", walked, err)
	}
	t.Logf("walked over %d files in %s", walked, time.Since(begun).Round(time.Millisecond))

	begun = time.Now()
	if err := d.Delete(ctx, "/folder"); err != nil {
		t.Fatal(err)
	}
	t.Logf("deleted in %s", time.Since(begun).Round(time.Millisecond))
	wantEmpty(t, d)
}

// TestWalk compares with the engine's own walk, which asks for every entry.
func TestWalk(t *testing.T) {
	ctx := context.Background()
	d := open(t, with(newContainer(t), "chunksize", mib))
	for _, path := range []string{"/r/a/1", "/r/a/b/2", "/r/a-b/3", "/r/a.b/4", "/r/a0", "/r/c", "/r/empty", "/s/5"} {
		content := []byte("content")
		if path == "/r/empty" {
			content = nil
		}
		if err := d.PutContent(ctx, path, content); err != nil {
			t.Fatal(err)
		}
	}
	write(t, d, "/r/large", randomContent(1, 3*mib))

	walk := func(walk func(storagedriver.WalkFn) error, skip string) (seen []string) {
		t.Helper()
		err := walk(func(info storagedriver.FileInfo) error {
			seen = append(seen, fmt.Sprintf("%s %t %d", info.Path(), info.IsDir(), info.Size()))
			if info.Path() == skip {
				return storagedriver.ErrSkipDir
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return seen
	}
	for _, test := range []struct{ from, after, skip string }{
		{"/", "", ""}, {"/r", "", ""}, {"/r", "", "/r/a"}, {"/r", "/r/a-b", ""}, {"/r", "/r/a/b", ""}, {"/r/a", "", "/r/a/b"},
	} {
		hint := storagedriver.WithStartAfterHint(test.after)
		got := walk(func(f storagedriver.WalkFn) error { return d.Walk(ctx, test.from, f, hint) }, test.skip)
		want := walk(func(f storagedriver.WalkFn) error {
			return storagedriver.WalkFallback(ctx, d, test.from, f, hint)
		}, test.skip)
		if !slices.Equal(got, want) || len(got) == 0 {
			t.Errorf("%+v: walked\n%v, want\n%v", test, got, want)
		}
	}
	if err := d.Walk(ctx, "/nothing", func(storagedriver.FileInfo) error { return nil }); !isPathNotFound(err) {
		t.Errorf("walking over nothing: %v", err)
	}
	stop := errors.New("stop")
	if err := d.Walk(ctx, "/", func(storagedriver.FileInfo) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error of the walk function: %v", err)
	}
}

// TestFiles compares with Walk, and counts requests: a garbage collection lists all blobs, and deletes many.
func TestFiles(t *testing.T) {
	proxy := newFaultyProxy(t)
	d := open(t, proxy.through(t, with(newContainer(t), "chunksize", mib, "rootdirectory", "registry")))
	for _, path := range []string{"/r/a/1", "/r/a/b/2", "/r/a-b/3", "/r/c", "/s/4"} {
		if err := d.PutContent(t.Context(), path, []byte("content")); err != nil {
			t.Fatal(err)
		}
	}
	write(t, d, "/r/large", randomContent(1, 3*mib))
	var requests atomic.Int32
	proxy.set(func(http.ResponseWriter, *http.Request) bool {
		requests.Add(1)
		return false
	})
	files := func(walk func(context.Context, string, func(storagedriver.FileInfo) error) error, folder string) (seen []string) {
		t.Helper()
		err := walk(t.Context(), folder, func(info storagedriver.FileInfo) error {
			if !info.IsDir() {
				seen = append(seen, fmt.Sprintf("%s %d %s", info.Path(), info.Size(), info.ModTime().Truncate(time.Second)))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(seen)
		return seen
	}
	inFolders := func(ctx context.Context, folder string, visit func(storagedriver.FileInfo) error) error {
		return d.Walk(ctx, folder, visit)
	}
	for _, folder := range []string{"/", "/r", "/r/a"} {
		want := files(inFolders, folder)
		requests.Store(0)
		if got := files(d.Files, folder); !slices.Equal(got, want) || len(got) == 0 {
			t.Errorf("%s: got %v, want %v", folder, got, want)
		}
		if n := requests.Load(); n != 1 {
			t.Errorf("%s: %d requests", folder, n)
		}
	}
	if got := files(d.Files, "/nothing"); len(got) != 0 {
		t.Errorf("in nothing: %v", got)
	}
	stop := errors.New("stop")
	if err := d.Files(t.Context(), "/", func(storagedriver.FileInfo) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error of the function: %v", err)
	}
	requests.Store(0)
	if err := d.Delete(t.Context(), "/r/a/b/2"); err != nil {
		t.Fatal(err)
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("a small file was deleted with %d requests", n)
	}
}

// TestFilesOfDistributionV2 reads and deletes a blob that the driver of distribution v2 wrote, with its prefix as
// rootdirectory.
func TestFilesOfDistributionV2(t *testing.T) {
	ctx := context.Background()
	parameters := with(newContainer(t), "rootdirectory", "/prefix/")
	d := open(t, parameters)
	conn := connection(t, swiftAccount(t))
	put := func(name, content string, headers ncw.Headers) {
		t.Helper()
		if _, err := conn.ObjectPut(ctx, d.client.container, name, strings.NewReader(content), false, "", "application/octet-stream", headers); err != nil {
			t.Fatal(err)
		}
	}
	put("prefix/segments/123/abc/0000000000000001", "one ", nil)
	put("prefix/segments/123/abc/0000000000000002", "two", nil)
	put("prefix/files"+blobPath, "", ncw.Headers{"X-Object-Manifest": d.client.container + "/prefix/segments/123/abc"})
	put("prefix/files/docker/small", "small", nil)

	content, err := d.GetContent(ctx, blobPath)
	if err != nil || string(content) != "one two" {
		t.Errorf("content %q: %v", content, err)
	}
	info, err := d.Stat(ctx, blobPath)
	if err != nil || info.Size() != 7 {
		t.Errorf("stat: %v, %v", info, err)
	}
	err = d.Walk(ctx, "/docker/registry", func(info storagedriver.FileInfo) error {
		if info.Path() == blobPath && info.Size() != 7 {
			t.Errorf("size %d on a walk", info.Size())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if err := d.Delete(ctx, blobDir); err != nil {
		t.Fatal(err)
	}
	if left := stored(t, d); len(left) != 1 || left["prefix/files/docker/small"] == "" {
		t.Errorf("left are %v", left)
	}
}

// TestStatRoot makes the call of the engine's health check. A container that is gone must not look healthy.
func TestStatRoot(t *testing.T) {
	ctx := context.Background()
	d := open(t, newContainer(t))
	info, err := d.Stat(ctx, "/")
	if err != nil || !info.IsDir() {
		t.Errorf("stat of the root: %v, %v", info, err)
	}
	d.client.container += "-gone"
	if _, err := d.Stat(ctx, "/"); err == nil || isPathNotFound(err) || !strings.Contains(err.Error(), d.client.container) {
		t.Errorf("stat of the root of no container: %v", err)
	}
}

func TestRedirects(t *testing.T) {
	ctx := context.Background()
	base := newContainer(t)
	redirect := func(d *driver, method string) string {
		t.Helper()
		r, err := http.NewRequest(method, "http://registry/", nil)
		if err != nil {
			t.Fatal(err)
		}
		url, err := d.RedirectURL(r, blobPath)
		if err != nil {
			t.Fatal(err)
		}
		return url
	}
	write(t, open(t, with(base, "chunksize", mib)), blobPath, randomContent(1, 3*mib))

	if url := redirect(open(t, base), http.MethodGet); url != "" {
		t.Errorf("redirect without a key: %s", url)
	}
	if _, err := New(ctx, with(base, "tempurlcontainerkey", true)); err == nil || !strings.Contains(err.Error(), "has no temporary URL key") {
		t.Errorf("container without a key: %v", err)
	}
	for _, test := range []struct {
		name string
		more []any
	}{
		{"key set on the container", []any{"tempurlcontainerkey", true, "secretkey", "container key"}},
		{"same key again", []any{"tempurlcontainerkey", true, "secretkey", "container key"}},
		{"key of the container", []any{"tempurlcontainerkey", true}},
		{"key of the account", []any{"secretkey", "account key"}},
	} {
		d := open(t, with(base, test.more...))
		resp, err := http.Get(redirect(d, http.MethodGet))
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %s", test.name, resp.Status)
		}
		if got, want := digestOf(t, resp.Body), digestOf(t, randomContent(1, 3*mib)); got != want {
			t.Errorf("%s: got %s, want %s", test.name, got, want)
		}
		resp.Body.Close()
		resp, err = http.Head(redirect(d, http.MethodHead))
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != http.StatusOK || resp.ContentLength != 3*mib {
			t.Errorf("%s: HEAD: status %s, length %d", test.name, resp.Status, resp.ContentLength)
		}
		if url := redirect(d, http.MethodPut); url != "" {
			t.Errorf("%s: redirect of a PUT: %s", test.name, url)
		}
	}
	_, err := New(ctx, with(base, "tempurlcontainerkey", true, "secretkey", "another key"))
	if err == nil || !strings.Contains(err.Error(), "another temporary URL key") || strings.Contains(err.Error(), "another key") {
		t.Errorf("other key than the container's: %v", err)
	}
	if url := redirect(open(t, with(base, "secretkey", "account key", "tempurlmethods", []any{"GET"})), http.MethodHead); url != "" {
		t.Errorf("redirect of a method that is not configured: %s", url)
	}
	conn := connection(t, swiftAccount(t))
	if err := conn.AccountUpdate(ctx, ncw.Headers{"X-Account-Meta-Temp-Url-Key": ""}); err != nil {
		t.Fatal(err)
	}
}

// TestWalkOverDeletedFolders expects a walk to go on if a folder is deleted after it was listed.
func TestWalkOverDeletedFolders(t *testing.T) {
	ctx := context.Background()
	d := open(t, with(newContainer(t), "chunksize", mib))
	for _, path := range []string{"/r/a/1", "/r/b/2", "/r/c/3"} {
		if err := d.PutContent(ctx, path, []byte("content")); err != nil {
			t.Fatal(err)
		}
	}
	var seen []string
	err := d.Walk(ctx, "/r", func(info storagedriver.FileInfo) error {
		seen = append(seen, info.Path())
		if info.Path() == "/r/b" {
			return d.Delete(ctx, "/r/b")
		}
		return nil
	})
	if want := []string{"/r/a", "/r/a/1", "/r/b", "/r/c", "/r/c/3"}; err != nil || !slices.Equal(seen, want) {
		t.Errorf("walked %v: %v", seen, err)
	}
}
