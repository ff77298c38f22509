package fence

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// lagging lists a file only some time after it was written, as Swift may. A file that is gone is no
// longer listed.
type lagging struct {
	storagedriver.StorageDriver
	lag time.Duration

	mutex *sync.Mutex
	since map[string]time.Time
}

func (d lagging) PutContent(ctx context.Context, path string, content []byte) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if _, ok := d.since[path]; !ok {
		d.since[path] = time.Now()
	}
	return d.StorageDriver.PutContent(ctx, path, content)
}

func (d lagging) Delete(ctx context.Context, path string) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	delete(d.since, path)
	return d.StorageDriver.Delete(ctx, path)
}

func (d lagging) List(ctx context.Context, path string) ([]string, error) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	names, err := d.StorageDriver.List(ctx, path)
	var listed []string
	for _, each := range names {
		if since, ok := d.since[each]; !ok || time.Since(since) >= d.lag {
			listed = append(listed, each)
		}
	}
	return listed, err
}

// TestEndThatIsNotListed has a collection whose holder is gone before others can list the generation that it
// left. A server that looked before the collection, and was suspended since, must learn of it.
func TestEndThatIsNotListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timing := TimingOf("swift")
		driver := lagging{inmemory.New(), timing.Settle - time.Second, new(sync.Mutex), map[string]time.Time{}}
		a, b := New(driver, "a", timing, NoCache{}), New(driver, "b", timing, NoCache{})
		a.clock = func() time.Duration { return time.Since(time.Time{}) }
		b.clock = a.clock
		before, err := b.looks.after(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		hold, ctx, err := a.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := hold.Pause(ctx); err != nil {
			t.Fatal(err)
		}
		if err := hold.Resume(ctx); err != nil {
			t.Fatal(err)
		}
		go hold.Release(ctx)
		for range 2 * timing.Settle / time.Second {
			after, err := b.looks.after(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if b.unchanged(before, after, nil) {
				t.Fatalf("nothing is known of the collection: %+v, then %+v", before, after)
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
	})
}

// TestDeletedBeforeItIsListed deletes a manifest whose tags the engine can't find yet.
func TestDeletedBeforeItIsListed(t *testing.T) {
	for name, status := range map[string]int{"at once": http.StatusAccepted, "again, after a failure": http.StatusNotFound} {
		t.Run(name, func(t *testing.T) {
			driver := lagging{inmemory.New(), time.Hour, new(sync.Mutex), map[string]time.Time{}}
			f := New(driver, "a", TimingOf("swift"), NoCache{})
			d, other := digest.FromString("deleted"), digest.FromString("other")
			put := func(path, content string) {
				if err := driver.PutContent(t.Context(), path, []byte(content)); err != nil {
					t.Fatal(err)
				}
			}
			put(layout.BlobPath(d), "deleted")
			for tag, named := range map[string]digest.Digest{"1": d, "2": d, "moved": other} {
				put(layout.TagPath("app", tag), named.String())
				f.notePush(Pushed{Repository: "app", Digest: d, Reference: tag})
			}
			put(layout.TagPath("elsewhere", "1"), d.String())
			f.notePush(Pushed{Repository: "elsewhere", Digest: d, Reference: "1"})
			engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
			answer := httptest.NewRecorder()
			f.Handler(engine, "").ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/v2/app/manifests/"+d.String(), nil))
			if answer.Code != http.StatusAccepted {
				t.Errorf("%d %s", answer.Code, answer.Body)
			}
			for path, want := range map[string]bool{
				layout.TagPath("app", "1"): false, layout.TagPath("app", "2"): false,
				layout.TagPath("app", "moved"): true, layout.TagPath("elsewhere", "1"): true,
			} {
				if _, err := driver.Stat(t.Context(), path); (err == nil) != want {
					t.Errorf("%s: %v", path, err)
				}
			}
		})
	}
}

// stale is a folder that still lists a file after it has gone, as one on NFS does for a moment.
type stale struct {
	storagedriver.StorageDriver
	gone string
}

func (stale) Name() string { return "filesystem" }

func (d stale) List(ctx context.Context, folder string) ([]string, error) {
	names, err := d.StorageDriver.List(ctx, folder)
	if folder == path.Dir(d.gone) && !slices.Contains(names, d.gone) {
		names = append(names, d.gone)
	}
	return names, err
}

// TestHolderThatIsListed has a holder that is gone although it is still listed.
func TestHolderThatIsListed(t *testing.T) {
	driver := inmemory.New()
	hold := serve(t, driver, "a").acquire(t)
	hold.Release(t.Context())
	s, err := serve(t, stale{driver, hold.self.path()}, "b").fence.look()
	if err != nil || len(s.holders) > 0 {
		t.Errorf("%v, %v", s.holders, err)
	}
}
