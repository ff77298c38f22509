package holdings

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/writes"
)

// shelf is a store that a test puts things into.
type shelf struct {
	t      *testing.T
	driver storagedriver.StorageDriver
}

func (s shelf) put(path, content string) {
	s.t.Helper()
	if err := s.driver.PutContent(s.t.Context(), path, []byte(content)); err != nil {
		s.t.Fatal(err)
	}
}

func (s shelf) remove(path string) {
	s.t.Helper()
	if err := s.driver.Delete(s.t.Context(), path); err != nil {
		s.t.Fatal(err)
	}
}

func (s shelf) layer(repository, content string) {
	d := digest.FromString(content)
	s.put(layout.BlobPath(d), content)
	s.put(layout.LinkPath(layout.RepositoryPath(repository, layout.Layers), d), d.String())
}

func (s shelf) manifest(repository, content string, tags ...string) digest.Digest {
	d := digest.FromString(content)
	s.put(layout.BlobPath(d), content)
	s.put(layout.RevisionPath(repository, d), d.String())
	for _, tag := range tags {
		s.put(layout.LinkPath(layout.RepositoryPath(repository, layout.Tags, tag, "index"), d), d.String())
		s.put(layout.TagPath(repository, tag), d.String())
	}
	return d
}

// filled has two repositories that share a layer of 5 bytes.
func filled(t *testing.T) shelf {
	s := shelf{t, inmemory.New()}
	s.layer("team", "layer")
	s.manifest("team", "m1", "1", "latest")
	s.manifest("team", "m2", "latest") // moved
	s.layer("team/app", "layer")
	s.layer("team/app", "another")
	subject := s.manifest("team/app", "m3", "1")
	about := s.manifest("team/app", "signed")
	s.put(layout.ReferrerPath("team/app", subject, about), about.String())
	return s
}

// known is everything that is known, except the times.
func known(h *Holdings) []Repository {
	list := slices.Clone(h.Repositories())
	for n := range list {
		list[n].LastPush = time.Time{}
	}
	return list
}

var (
	team = Repository{Name: "team", Tags: 2, Manifests: 2, Bytes: 5 + 2 + 2}
	app  = Repository{Name: "team/app", Tags: 1, Manifests: 2, Bytes: 5 + 7 + 2 + 6}
)

func TestCount(t *testing.T) {
	s := filled(t)
	began := time.Now()
	// None of these adds anything.
	gone := digest.FromString("deleted by a stock server")
	s.put(layout.LinkPath(layout.RepositoryPath("team", layout.Layers), gone), gone.String())
	s.put(layout.RepositoryPath("only/an/upload", layout.Uploads, "1", "data"), "half")
	s.put(layout.Root+"/elsewhere/link", "x")
	h := Of(s.driver, registrytest.Silent())
	if _, counted := h.At(); counted || len(h.Repositories()) > 0 {
		t.Error("something is known before it was counted")
	}
	if err := h.countAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := known(h); !slices.Equal(got, []Repository{team, app}) {
		t.Errorf("got %+v", got)
	}
	want := Total{Repositories: 2, Tags: 3, Manifests: 4, Blobs: 6, Bytes: team.Bytes + app.Bytes - 5}
	if got := h.Total(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if last := h.Repositories()[0].LastPush; last.Before(began.Add(-time.Minute)) || last.After(time.Now()) {
		t.Errorf("last push %s", last)
	}
	if at, counted := h.At(); !counted || at.Before(began) {
		t.Errorf("counted at %s", at)
	}

	// A collection deleted a repository and what only that had.
	s.remove(layout.RepositoryPath("team/app"))
	for _, content := range []string{"another", "m3", "signed"} {
		s.remove(layout.BlobPath(digest.FromString(content)))
	}
	if err := h.countAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := h.Total(), (Total{1, 2, 2, 3, team.Bytes}); got != want || !slices.Equal(known(h), []Repository{team}) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestEmpty(t *testing.T) {
	h := Of(inmemory.New(), registrytest.Silent())
	if err := h.countAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, counted := h.At(); !counted || h.Total() != (Total{}) {
		t.Errorf("%+v", h.Total())
	}
}

// run has it count until the test ends, and returns a function that waits for a state.
func run(t *testing.T, h *Holdings) (eventually func(what string, is func() bool)) {
	h.settle = time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { h.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	return func(what string, is func() bool) {
		t.Helper()
		for until := time.Now().Add(20 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%s: %+v", what, h.Repositories())
			}
		}
	}
}

func TestKeepUp(t *testing.T) {
	s := filled(t)
	h := Of(s.driver, registrytest.Silent())
	eventually := run(t, h)
	eventually("the first count", func() bool { _, counted := h.At(); return counted })

	s.layer("team", "new layer")
	h.Observe(t.Context(), writes.Write{Action: writes.Push, Kind: writes.Blob, Repository: "team"})
	s.manifest("team", "m4", "2")
	h.Observe(t.Context(), writes.Write{Action: writes.Push, Kind: writes.Manifest, Repository: "team"})
	now := Repository{Name: "team", Tags: 3, Manifests: 3, Bytes: team.Bytes + 9 + 2}
	eventually("a push", func() bool { return slices.Equal(known(h), []Repository{now, app}) })
	if got, want := h.Total().Bytes, now.Bytes+app.Bytes-5; got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}

	s.remove(layout.RepositoryPath("team/app"))
	h.Observe(t.Context(), writes.Write{Action: writes.Delete, Kind: writes.Manifest, Repository: "team/app"})
	eventually("a deletion", func() bool { return slices.Equal(known(h), []Repository{now}) })

	// A change of which nobody tells is seen by the next count of everything.
	s.manifest("other", "m5", "1")
	h.Refresh()
	eventually("a push elsewhere", func() bool { return len(h.Repositories()) == 2 })
}

// TestRest expects a repository that took long to be left alone for a while, but no other one.
func TestRest(t *testing.T) {
	s := filled(t)
	h := Of(s.driver, registrytest.Silent())
	eventually := run(t, h)
	eventually("the first count", func() bool { _, counted := h.At(); return counted })
	began := time.Now()
	h.resting["team"] = began.Add(300 * time.Millisecond)
	for _, name := range []string{"team", "team/app"} {
		s.manifest(name, "m6", "2")
		h.Observe(t.Context(), writes.Write{Action: writes.Push, Kind: writes.Manifest, Repository: name})
	}
	eventually("the other one", func() bool { return h.Repositories()[1].Tags == app.Tags+1 })
	eventually("the one that rests", func() bool { return h.Repositories()[0].Tags == team.Tags+1 })
	if time.Since(began) < 300*time.Millisecond {
		t.Error("it did not rest")
	}
}

// failing is a store that is away.
type failing struct {
	storagedriver.StorageDriver
	away bool
}

func (f *failing) List(ctx context.Context, path string) ([]string, error) {
	if f.away {
		return nil, errors.New("away")
	}
	return f.StorageDriver.List(ctx, path)
}

func (f *failing) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	if f.away {
		return nil, errors.New("away")
	}
	return f.StorageDriver.Stat(ctx, path)
}

func (f *failing) PutContent(ctx context.Context, path string, content []byte) error {
	if f.away {
		return errors.New("away")
	}
	return f.StorageDriver.PutContent(ctx, path, content)
}

func TestStoreAway(t *testing.T) {
	store := &failing{filled(t).driver, true}
	h := Of(store, registrytest.Silent())
	if err := h.countAll(t.Context()); err == nil {
		t.Error("counted")
	}
	if _, counted := h.At(); counted {
		t.Error("known")
	}
	store.away = false
	if err := h.countAll(t.Context()); err != nil || !slices.Equal(known(h), []Repository{team, app}) {
		t.Errorf("%v %+v", err, known(h))
	}
	// What was known is still known.
	store.away = true
	h.Observe(t.Context(), writes.Write{Action: writes.Delete, Kind: writes.Tag, Repository: "team"})
	h.countChanged(t.Context())
	if err := h.countAll(t.Context()); err == nil || !slices.Equal(known(h), []Repository{team, app}) {
		t.Errorf("%v %+v", err, known(h))
	}
}

// many is a store of so many repositories, of a hundred images each.
type many struct {
	storagedriver.StorageDriver
	repositories int
}

func (m many) Files(_ context.Context, folder string, visit func(storagedriver.FileInfo) error) error {
	for n := range m.repositories {
		name := "team/app-" + strconv.Itoa(n)
		for image := range 100 {
			d := digest.FromString(name + ":" + strconv.Itoa(image))
			paths := []string{layout.BlobPath(d)}
			if folder == layout.Repositories {
				paths = []string{layout.RevisionPath(name, d), layout.TagPath(name, strconv.Itoa(image))}
			}
			for _, path := range paths {
				info := storagedriver.FileInfoFields{Path: path, Size: 7, ModTime: time.Unix(1, 0)}
				if err := visit(storagedriver.FileInfoInternal{FileInfoFields: info}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemory expects tags to need no memory at all, and blobs little.
func TestMemory(t *testing.T) {
	const repositories, limit = 1000, 60
	h := Of(many{inmemory.New(), repositories}, registrytest.Silent())
	before := heap()
	if err := h.countAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	blobs := h.Total().Blobs
	each := (heap() - before) / uint64(blobs)
	t.Logf("%d bytes a blob", each)
	if blobs != repositories*100 || each > limit || h.Total().Bytes != int64(7*blobs) || !strings.HasPrefix(h.Repositories()[0].Name, "team/app-") {
		t.Errorf("%+v, %d bytes each", h.Total(), each)
	}
	runtime.KeepAlive(h)
}
