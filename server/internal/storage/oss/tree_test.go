package oss

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"

	"container-registry/server/internal/storage/oss/osstest"
)

func put(t *testing.T, d *Driver, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := d.PutContent(t.Context(), path, []byte(path)); err != nil {
			t.Fatal(err)
		}
	}
}

// 12,000 entries, half of them folders: more than a page, and more than Walk
// reads in one go.
func TestLargeFolder(t *testing.T) {
	const entries = 12000
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	want := []string{}
	for i := range entries {
		name := fmt.Sprintf("/big/%05d", i)
		want = append(want, name)
		if i%2 == 0 {
			name += "/link"
		}
		put(t, d, name)
	}
	put(t, d, "/bigger/x")
	s.Requests()
	got, err := d.List(t.Context(), "/big")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("List found %d of %d", len(got), len(want))
	}
	if requests := s.Requests(); len(requests) != 12 {
		t.Errorf("List made %d requests", len(requests))
	}

	files, folders := 0, 0
	if err := d.Walk(t.Context(), "/big", func(info storagedriver.FileInfo) error {
		if info.IsDir() {
			folders++
		} else {
			files++
		}
		return nil
	}); err != nil || files != entries || folders != entries/2 {
		t.Errorf("Walk found %d files and %d folders: %v", files, folders, err)
	}

	s.Requests()
	if err := d.Delete(t.Context(), "/big"); err != nil {
		t.Fatal(err)
	}
	if n := osstest.Count(s.Requests(), "DeleteMultipleObjects"); n != 13 {
		t.Errorf("Delete made %d batches", n)
	}
	assertOnly(t, s, "bigger/x")
}

func TestList(t *testing.T) {
	for _, root := range []string{"", "/some/root"} {
		t.Run("root "+root, func(t *testing.T) {
			_, params := startOSS(t)
			params["rootdirectory"] = root
			d := newTestDriver(t, params)
			put(t, d, "/a/file", "/a/dir/x", "/a/dir/y", "/ab", "/a-b/x")
			w := openWriter(t, d, "/a/open", false)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			// The empty object a console makes for a folder.
			if _, err := d.StorageDriver.(*driver).put(t.Context(), &oss.PutObjectRequest{Key: oss.Ptr(d.StorageDriver.(*driver).key("/a/marked/"))}); err != nil {
				t.Fatal(err)
			}
			for _, test := range []struct {
				path string
				want string
			}{
				{"/", "/a /a-b /ab"},
				{"/a", "/a/dir /a/file /a/marked"},
				{"/a/dir", "/a/dir/x /a/dir/y"},
			} {
				got, err := d.List(t.Context(), test.path)
				slices.Sort(got)
				if err != nil || strings.Join(got, " ") != test.want {
					t.Errorf("List %s: %v %v", test.path, got, err)
				}
			}
			var missing storagedriver.PathNotFoundError
			for _, path := range []string{"/nothing", "/a/marked", "/ab"} {
				if _, err := d.List(t.Context(), path); !errors.As(err, &missing) {
					t.Errorf("List %s: %v", path, err)
				}
			}
		})
	}
}

// Only whole components count: "/a" is neither "/a-b" nor "/ab".
func TestStat(t *testing.T) {
	_, params := startOSS(t)
	d := newTestDriver(t, params)
	put(t, d, "/a-b/x", "/dir/x")
	for _, test := range []struct {
		path  string
		found bool
		dir   bool
		size  int64
	}{
		{"/dir/x", true, false, 6},
		{"/dir", true, true, 0},
		{"/", true, true, 0},
		{"/a", false, false, 0},
		{"/di", false, false, 0},
	} {
		info, err := d.Stat(t.Context(), test.path)
		if !test.found {
			var missing storagedriver.PathNotFoundError
			if !errors.As(err, &missing) || missing.Path != test.path {
				t.Errorf("%s: %v", test.path, err)
			}
			continue
		}
		if err != nil || info.IsDir() != test.dir || info.Size() != test.size || info.Path() != test.path {
			t.Errorf("%s: %+v %v", test.path, info, err)
		}
		if !test.dir && info.ModTime().IsZero() {
			t.Errorf("%s has no time", test.path)
		}
	}
}

// walked is what a walk visits; skip names folders it does not enter, and stop
// is how many entries fill its buffer.
func walked(t *testing.T, run func(storagedriver.WalkFn) error, skip string, stop int) []string {
	t.Helper()
	visited := []string{}
	err := run(func(info storagedriver.FileInfo) error {
		entry := info.Path()
		if info.IsDir() {
			entry += "/"
		}
		visited = append(visited, entry)
		switch {
		case len(visited) == stop:
			return storagedriver.ErrFilledBuffer
		case info.IsDir() && skip != "" && strings.HasSuffix(info.Path(), skip):
			return storagedriver.ErrSkipDir
		}
		return nil
	})
	var missing storagedriver.PathNotFoundError
	switch {
	case errors.As(err, &missing):
		visited = append(visited, "missing: "+missing.Path)
	case err != nil:
		t.Fatal(err)
	}
	return visited
}

// fileTree is the engine's filesystem driver, except that listing a file, or a
// path below one, reports a missing path, as in an object store.
type fileTree struct{ storagedriver.StorageDriver }

func (f fileTree) List(ctx context.Context, path string) ([]string, error) {
	if info, err := f.Stat(ctx, path); err != nil || !info.IsDir() {
		return nil, storagedriver.PathNotFoundError{Path: path}
	}
	return f.StorageDriver.List(ctx, path)
}

// The engine's own walk over files is the measure. Names are chosen so
// that OSS's order of keys is not the order of path components.
func TestWalkLikeTheEngine(t *testing.T) {
	_, params := startOSS(t)
	d := newTestDriver(t, params)
	inner := d.StorageDriver.(*driver)
	random := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "a-b", "a.b", "a_b", "ab", "b", "b-", "_manifests"}
	var paths []string
	for range 120 {
		path := "/r"
		for range 1 + random.IntN(4) {
			path += "/" + names[random.IntN(len(names))]
		}
		paths = append(paths, path)
	}
	// A name may only be a file or a folder: a file system can't have both.
	slices.Sort(paths)
	paths = slices.Compact(paths)
	paths = slices.DeleteFunc(paths, func(p string) bool {
		return slices.ContainsFunc(paths, func(q string) bool { return strings.HasPrefix(q, p+"/") })
	})
	put(t, d, paths...)
	reference := fileTree{filesystem.New(filesystem.DriverParameters{RootDirectory: t.TempDir(), MaxThreads: 100})}
	for _, path := range paths {
		if err := reference.PutContent(t.Context(), path, nil); err != nil {
			t.Fatal(err)
		}
	}

	hints := []string{"", "/r", "/q", "/s", "/r/a", "/r/a-", "/r/b/zzz", "/"}
	for range 20 {
		path := paths[random.IntN(len(paths))]
		hints = append(hints, path, path[:strings.LastIndex(path, "/")], path+"/_manifests", path+"-")
	}
	for _, hint := range hints {
		for _, from := range []string{"/r", "/", "/r/a", "/r/b", "/nothing"} {
			for _, skip := range []string{"", "_manifests", "a"} {
				for _, stop := range []int{0, 5} {
					want := walked(t, func(f storagedriver.WalkFn) error {
						return storagedriver.WalkFallback(t.Context(), reference, from, f, storagedriver.WithStartAfterHint(hint))
					}, skip, stop)
					if stop > 0 && len(want) > stop {
						// With a hint the engine's walk goes on, level by level,
						// after it was told to stop.
						want = want[:stop]
					}
					for _, batch := range []int{1, walkBatch} {
						got := walked(t, func(f storagedriver.WalkFn) error {
							w := walk{ctx: t.Context(), d: inner, visit: f, after: hint, batch: batch}
							return w.run(from)
						}, skip, stop)
						if !slices.Equal(got, want) {
							t.Fatalf("from %s after %q, skipping %q, stopping at %d, batch %d:\ngot  %v\nwant %v", from, hint, skip, stop, batch, got, want)
						}
					}
				}
			}
		}
	}
}

func TestWalkPassesErrorsOn(t *testing.T) {
	_, params := startOSS(t)
	d := newTestDriver(t, params)
	put(t, d, "/a/b")
	boom := errors.New("boom")
	err := d.StorageDriver.Walk(t.Context(), "/", func(storagedriver.FileInfo) error { return boom })
	if !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
}

// A walk over a registry's blobs, each in a folder of its own, must not ask
// for every folder.
func TestWalkIsCheap(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	for i := range 500 {
		put(t, d, fmt.Sprintf("/blobs/sha256/%02x/%064x/data", i%256, i))
	}
	s.Requests()
	if err := d.Walk(t.Context(), "/blobs", func(storagedriver.FileInfo) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestDelete(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	put(t, d, "/a/x", "/a/y/z", "/a", "/ab", "/a-b/c")
	if err := d.Delete(t.Context(), "/a"); err != nil {
		t.Fatal(err)
	}
	assertOnly(t, s, "a-b/c", "ab")
	var missing storagedriver.PathNotFoundError
	if err := d.Delete(t.Context(), "/a"); !errors.As(err, &missing) || missing.Path != "/a" {
		t.Errorf("deleting nothing: %v", err)
	}
}

// A registry purges an upload by deleting its folder.
func TestDeleteEndsUploads(t *testing.T) {
	for _, test := range []struct {
		name, path string
		size       int
		close      bool
	}{
		{"tail on record", "/u/1", 10, true},
		{"parts", "/u/1", 300 << 10, true},
		{"parts of a process that died", "/u/1", 300 << 10, false},
		{"the path itself", "/u/1/data", 300 << 10, true},
		{"the path itself, tail on record", "/u/1/data", 10, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, params := startOSS(t)
			params["chunksize"] = minPartSize
			d := newTestDriver(t, params)
			sibling := openWriter(t, d, "/u/10/data", false)
			write(t, sibling, pattern(300<<10))
			w := openWriter(t, d, "/u/1/data", false)
			write(t, w, pattern(test.size))
			if test.close {
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if err := d.Delete(t.Context(), test.path); err != nil {
				t.Fatal(err)
			}
			if uploads := s.Uploads(); !slices.Equal(uploads, []string{"u/10/data"}) {
				t.Errorf("uploads: %v", uploads)
			}
			commit(t, sibling)
			assertOnly(t, s, "u/10/data")
		})
	}
}

// More uploads than fit into one answer.
func TestDeleteEndsManyUploads(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	for i := range pageSize + 5 {
		if _, err := d.StorageDriver.(*driver).initiate(t.Context(), fmt.Sprintf("u/%d", i%7)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Delete(t.Context(), "/u"); err != nil {
		t.Fatal(err)
	}
	assertOnly(t, s)
}

// Data must not pass through the registry.
func TestMoveCopiesInsideOSS(t *testing.T) {
	for _, test := range []struct {
		name      string
		threshold int64
		size      int
		copies    string
		count     int
	}{
		{"below the threshold", 1 << 20, 1 << 20, "CopyObject", 1},
		{"above the threshold", 1 << 20, 1<<20 + 1, "UploadPartCopy", 1},
		{"several parts", 1 << 20, 2*int(copyPartSize) + 5, "UploadPartCopy", 3},
		{"empty", 1 << 20, 0, "CopyObject", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, params := startOSS(t)
			params["multipartcopythresholdsize"] = test.threshold
			d := newTestDriver(t, params)
			data := pattern(test.size)
			w := openWriter(t, d, "/from/data", false)
			write(t, w, data)
			commit(t, w)
			put(t, d, "/to/data")
			s.Requests()
			if err := d.Move(t.Context(), "/from/data", "/to/data"); err != nil {
				t.Fatal(err)
			}
			requests := s.Requests()
			if n := osstest.Count(requests, test.copies); n != test.count {
				t.Errorf("%d times %s", n, test.copies)
			}
			for _, r := range requests {
				if r.BytesIn > 4096 || r.Op == "GetObject" {
					t.Errorf("%s moved %d bytes", r.Op, r.BytesIn)
				}
			}
			assertContent(t, d, "/to/data", data)
			assertOnly(t, s, "to/data")
		})
	}
}

func TestMoveToItself(t *testing.T) {
	s, params := startOSS(t)
	d := newTestDriver(t, params)
	put(t, d, "/file")
	if err := d.Move(t.Context(), "/file", "/file"); err != nil {
		t.Fatal(err)
	}
	assertOnly(t, s, "file")
}

func TestMoveOfNothing(t *testing.T) {
	_, params := startOSS(t)
	d := newTestDriver(t, params)
	var missing storagedriver.PathNotFoundError
	if err := d.Move(t.Context(), "/from", "/to"); !errors.As(err, &missing) || missing.Path != "/from" {
		t.Errorf("got %v", err)
	}
}

// A copy that fails halfway leaves the source, and no parts of the target.
func TestMoveThatFails(t *testing.T) {
	for _, test := range []struct {
		name string
		fail func(cancel context.CancelFunc) osstest.FaultFunc
		want string
	}{
		{"refused", func(context.CancelFunc) osstest.FaultFunc {
			return once("UploadPartCopy", &osstest.Fault{Status: http.StatusForbidden, Code: "AccessDenied"})
		}, "AccessDenied"},
		{"cancelled", func(cancel context.CancelFunc) osstest.FaultFunc {
			return func(r osstest.Request) *osstest.Fault {
				if r.Op == "UploadPartCopy" {
					cancel()
				}
				return nil
			}
		}, "context canceled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, params := startOSS(t)
			params["multipartcopythresholdsize"] = minPartSize
			d := newTestDriver(t, params)
			w := openWriter(t, d, "/from", false)
			write(t, w, pattern(int(copyPartSize)+5))
			commit(t, w)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s.SetFault(test.fail(cancel))
			if err := d.Move(ctx, "/from", "/to"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v", err)
			}
			assertOnly(t, s, "from")
		})
	}
}

// OSS made the copy, but its answer was lost.
func TestMoveWithLostAnswer(t *testing.T) {
	s, params := startOSS(t)
	params["multipartcopythresholdsize"] = minPartSize
	d := newTestDriver(t, params)
	data := pattern(200 << 10)
	if err := d.PutContent(t.Context(), "/from", data); err != nil {
		t.Fatal(err)
	}
	s.SetFault(once("CompleteMultipartUpload", &osstest.Fault{DropAnswer: true}))
	if err := d.Move(t.Context(), "/from", "/to"); err != nil {
		t.Fatal(err)
	}
	assertContent(t, d, "/to", data)
	assertOnly(t, s, "to")
}
