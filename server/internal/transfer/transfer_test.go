package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

func folder(t *testing.T) storagedriver.StorageDriver {
	return filesystem.New(filesystem.DriverParameters{RootDirectory: t.TempDir(), MaxThreads: 100})
}

func memory(*testing.T) storagedriver.StorageDriver { return inmemory.New() }

func TestCopiesEverything(t *testing.T) {
	for name, test := range map[string]struct {
		from, to func(*testing.T) storagedriver.StorageDriver
		workers  int
	}{
		"folder to memory":             {folder, memory, 8},
		"memory to folder":             {memory, folder, 8},
		"folder to folder, one by one": {folder, folder, 1},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := test.from(t), test.to(t)
			source := registrytest.Serve(t, registrytest.Config(t, from))
			source.Fill(t)
			report, err := between(t, from, to, Options{Workers: test.workers})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := pulled(t, to), source.Pulled(t); !slices.Equal(got, want) {
				t.Errorf("the target serves\n%s\nthe source\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			want := files(t, from)
			maps.DeleteFunc(want, func(path, _ string) bool { return strings.Contains(path, "/_uploads/") })
			got := files(t, to)
			maps.DeleteFunc(got, func(path, _ string) bool {
				_, _, carried := layout.CarriedOf(path)
				return carried
			})
			if !maps.Equal(got, want) {
				t.Errorf("the target has %d files, the source %d", len(got), len(want))
			}
			if report.blobs.written.Load() == 0 || report.blobs.kept.Load() != 0 || report.tags.written.Load() != 6 {
				t.Errorf("reported as\n%s", report)
			}
		})
	}
}

// TestReferrers has a link to a deleted manifest. This link is not copied.
func TestReferrers(t *testing.T) {
	from, to := memory(t), folder(t)
	source := registrytest.Serve(t, registrytest.Config(t, from))
	image := source.Push(t, "team/app", "1", registrytest.Layer(1, 100))
	about := source.PushAbout(t, "team/app", "", image)
	gone := digest.FromString("a manifest that was deleted")
	for _, d := range []digest.Digest{about, gone} {
		if err := from.PutContent(t.Context(), layout.ReferrerPath("team/app", image, d), []byte(d)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if _, err := between(t, from, to, Options{Workers: 2}); err != nil {
			t.Fatal(err)
		}
		copied := files(t, to)
		if content := copied[layout.ReferrerPath("team/app", image, about)]; content != about.String() {
			t.Errorf("the link holds %q", content)
		}
		if _, ok := copied[layout.ReferrerPath("team/app", image, gone)]; ok {
			t.Error("a link that leads nowhere was copied")
		}
	}
}

func TestSecondRunIsCheap(t *testing.T) {
	from, _ := filled(t)
	to := inmemory.New()
	if _, err := between(t, from, to, Options{}); err != nil {
		t.Fatal(err)
	}
	source, target := registrytest.NewSpy(from), registrytest.NewSpy(to)
	report, err := between(t, source, target, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"get", "read"} {
		if n := source.Count(action, layout.Blobs); n != 0 {
			t.Errorf("%s of %d blobs of the source", action, n)
		}
	}
	for _, action := range []string{"put", "write", "move"} {
		if n := target.Count(action, layout.Root); n != 0 {
			t.Errorf("%s of %d files of the target", action, n)
		}
	}
	if report.blobs.written.Load()+report.links.written.Load()+report.tags.written.Load() != 0 || report.blobs.kept.Load() == 0 {
		t.Errorf("reported as\n%s", report)
	}
}

func TestDryRun(t *testing.T) {
	from, _ := filled(t)
	to := registrytest.NewSpy(inmemory.New())
	report, err := between(t, from, to, Options{DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"put", "write", "move", "delete"} {
		if n := to.Count(action, "/"); n != 0 {
			t.Errorf("%s, %d times", action, n)
		}
	}
	if report.blobs.written.Load() == 0 || report.tags.written.Load() != 6 || !strings.HasPrefix(report.String(), "to copy from test store to test store in ") {
		t.Errorf("reported as\n%s", report)
	}
}

// TestStopsAnywhere ends a transfer after every number of writes. Whatever the target has then can be pulled,
// and the next run does the rest.
func TestStopsAnywhere(t *testing.T) {
	from, want := filled(t)
	for writes := 0; ; writes += 3 {
		target := registrytest.NewSpy(inmemory.New())
		ctx, cancel := context.WithCancel(t.Context())
		left := writes
		target.Before = func(action, path string) error {
			if (action == "put" || action == "move") && strings.HasPrefix(path, layout.Root) {
				if left--; left < 0 {
					cancel()
					return ctx.Err()
				}
			}
			return nil
		}
		_, err := Run(ctx, registrytest.ReadOnly(registrytest.Config(t, from)), registrytest.Config(t, target),
			Options{Workers: 1, Progress: io.Discard, Interval: time.Hour})
		cancel()
		if err == nil {
			break
		}
		if err.Error() != "interrupted; run it again to go on where it stopped" {
			t.Fatal(err)
		}
		pulled(t, target.StorageDriver)
		if n := len(files(t, target.StorageDriver)); n != writes {
			t.Errorf("%d files are there after %d writes", n, writes)
		}
		if writes%15 == 0 {
			if _, err := between(t, from, target.StorageDriver, Options{}); err != nil {
				t.Fatal(err)
			}
			if got := pulled(t, target.StorageDriver); !slices.Equal(got, want) {
				t.Errorf("after %d writes and a second run:\n%s", writes, strings.Join(got, "\n"))
			}
		}
	}
}

func TestPushesMeanwhile(t *testing.T) {
	from, want := filled(t)
	source := registrytest.NewSpy(from)
	client := registrytest.Serve(t, registrytest.Config(t, from))
	pushed := false
	source.Before = func(action, path string) error {
		// Tags were read before this.
		if action == "list" && strings.HasSuffix(path, "/"+layout.Layers) && !pushed {
			pushed = true
			client.Push(t, "team/app", "late", registrytest.Layer(9, 5000))
		}
		return nil
	}
	to := inmemory.New()
	_, err := Run(t.Context(), registrytest.Config(t, source), registrytest.Config(t, to),
		Options{Workers: 1, SourceMayChange: true, Progress: io.Discard, Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if got := pulled(t, to); !pushed || !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if _, err := between(t, from, to, Options{}); err != nil {
		t.Fatal(err)
	}
	if got := pulled(t, to); !slices.Equal(got, client.Pulled(t)) {
		t.Errorf("after the last run:\n%s", strings.Join(got, "\n"))
	}
}

func TestRefuses(t *testing.T) {
	from, _ := filled(t)
	readOnly := registrytest.ReadOnly(registrytest.Config(t, from))
	writable := registrytest.Config(t, from)
	good := registrytest.Config(t, inmemory.New())
	for name, test := range map[string]struct {
		from, to *configuration.Configuration
		options  Options
		want     string
	}{
		"a source that takes pushes": {writable, good, Options{Workers: 1}, "test store may take pushes while it is copied, and what is pushed late would be missing from the copy; set storage.maintenance.readonly.enabled: true"},
		"the same store":             {readOnly, readOnly, Options{Workers: 1}, "name the same store, test store"},
		"no workers":                 {readOnly, good, Options{}, "--workers must be 1 or more"},
		"an empty source":            {registrytest.ReadOnly(registrytest.Config(t, inmemory.New())), good, Options{Workers: 1}, "test store holds no registry; check its rootdirectory"},
	} {
		t.Run(name, func(t *testing.T) {
			test.options.Progress, test.options.Interval = io.Discard, time.Hour
			report, err := Run(t.Context(), test.from, test.to, test.options)
			if report != nil || err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

func TestChecksBothStores(t *testing.T) {
	from, _ := filled(t)
	denied := func(refused string) *registrytest.Spy {
		s := registrytest.NewSpy(inmemory.New())
		s.Before = func(action, _ string) error {
			if action == refused {
				return errors.New("AccessDenied: no")
			}
			return nil
		}
		return s
	}
	for name, test := range map[string]struct {
		from, to storagedriver.StorageDriver
		options  Options
		want     string
	}{
		"source":            {denied("list"), inmemory.New(), Options{}, "cannot list test store: "},
		"target":            {from, denied("put"), Options{}, "cannot write to test store: it may be read but not written"},
		"target of dry run": {from, denied("put"), Options{DryRun: true}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := between(t, test.from, test.to, test.options)
			if (err == nil) != (test.want == "") || err != nil && !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestGivesUpWhenNothingWorks(t *testing.T) {
	from, _ := filled(t)
	to := registrytest.NewSpy(inmemory.New())
	to.Before = func(action, path string) error {
		if action == "put" && strings.HasPrefix(path, layout.Blobs) {
			return syscall.ENOSPC
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		report, err := between(t, from, to, Options{Workers: 1})
		want := "cannot write to test store: it is full; make space or raise its quota (no space left on device)"
		if err == nil || err.Error() != want || report == nil {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	if n := to.Count("put", layout.Blobs); n != attempts {
		t.Errorf("tried %d times", n)
	}
}

func TestGoesOnAfterABrokenConnection(t *testing.T) {
	from, want := filled(t)
	source := registrytest.NewSpy(from)
	failed := map[string]bool{}
	source.Before = func(action, path string) error {
		if action == "read" && !failed[path] {
			failed[path] = true
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	to := inmemory.New()
	synctest.Test(t, func(t *testing.T) {
		if _, err := between(t, source, to, Options{Workers: 1}); err != nil {
			t.Error(err)
		}
	})
	if got := pulled(t, to); len(failed) == 0 || !slices.Equal(got, want) {
		t.Errorf("after %d failures:\n%s", len(failed), strings.Join(got, "\n"))
	}
}

func TestLeavesOutWhatIsNoRegistry(t *testing.T) {
	rootDirectory := t.TempDir()
	from := filesystem.New(filesystem.DriverParameters{RootDirectory: rootDirectory, MaxThreads: 100})
	source := registrytest.Serve(t, registrytest.Config(t, from))
	source.Fill(t)
	want := source.Pulled(t)
	for _, stray := range []string{"blobs/.DS_Store", "blobs/sha256/notes", "blobs/sha256/ab/cd", "repositories/notes", "repositories/.hidden/x", "repositories/team/app/notes"} {
		file := filepath.Join(rootDirectory, layout.Root, stray)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte("stray"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	to := inmemory.New()
	if _, err := between(t, from, to, Options{}); err != nil {
		t.Fatal(err)
	}
	for path, content := range files(t, to) {
		if content == "stray" {
			t.Errorf("%s was copied", path)
		}
	}
	if got := pulled(t, to); !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestClearsWhatAKilledRunLeft(t *testing.T) {
	from, _ := filled(t)
	to := inmemory.New()
	if err := to.PutContent(t.Context(), stagingRoot+"/killed/abc", []byte("half")); err != nil {
		t.Fatal(err)
	}
	if _, err := between(t, from, to, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := to.List(t.Context(), stagingRoot); !layout.IsMissing(err) {
		t.Errorf("%s: %v", stagingRoot, err)
	}
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out, time.Hour)
	defer p.stop()
	start := p.lastTime
	p.begin("looking at what there is", 0)
	p.write(start.Add(time.Second))
	p.begin("blobs", 10)
	p.done()
	p.add(3 << 20)
	p.write(start.Add(3 * time.Second))
	p.done()
	p.write(start.Add(4 * time.Second))
	want := "looking at what there is\nblobs: 1 of 10, 3.0 MiB copied, 1.5 MiB/s\nblobs: 2 of 10, 3.0 MiB copied\n"
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestInUnits(t *testing.T) {
	for bytes, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 30: "1.0 GiB", 5 << 50: "5120.0 TiB"} {
		if got := inUnits(bytes); got != want {
			t.Errorf("%d bytes are %s, want %s", bytes, got, want)
		}
	}
}
