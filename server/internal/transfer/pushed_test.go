package transfer

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage"
	"container-registry/server/internal/garbage/retention"
	"container-registry/server/internal/images"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/turns"
)

// aged is a registry in a folder, whose tags can be given a push in the past.
type aged struct {
	storagedriver.StorageDriver
	client registrytest.Client
	root   string
}

func newAged(t *testing.T) *aged {
	root := t.TempDir()
	driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100})
	return &aged{driver, registrytest.Serve(t, registrytest.Config(t, driver)), root}
}

// push makes a tag of app name the image with a number.
func (a *aged) push(t *testing.T, tag string, number uint64, at time.Time) {
	t.Helper()
	a.client.Push(t, "app", tag, registrytest.Layer(number, 100))
	if err := os.Chtimes(filepath.Join(a.root, layout.TagPath("app", tag)), at, at); err != nil {
		t.Fatal(err)
	}
}

// listed is a store that lists everything at once.
type listed struct{ storagedriver.StorageDriver }

func (l listed) Files(ctx context.Context, folder string, visit func(storagedriver.FileInfo) error) error {
	return l.Walk(ctx, folder, func(info storagedriver.FileInfo) error {
		if info.IsDir() {
			return nil
		}
		return visit(info)
	})
}

// expectPushes expects both retention and the page to see when the tags of app were pushed.
func expectPushes(t *testing.T, driver storagedriver.StorageDriver, want map[string]time.Time) {
	t.Helper()
	for tag, at := range want {
		if got, err := images.NewReader(driver, turns.New(0)).Tag(t.Context(), "app", tag); err != nil || !got.Pushed.Equal(at) {
			t.Errorf("%s was pushed at %s, want %s: %v", tag, got.Pushed, at, err)
		}
	}
	for keep := range len(want) {
		options := garbage.Options{Retention: retention.Policy{Rules: []retention.Rule{{KeepNewest: keep + 1}}}}
		f := fence.New(driver, "a server", fence.TimingOf("inmemory"), fence.NoCache{})
		var out strings.Builder
		if _, err := garbage.New(driver, f, options, registrytest.Silent()).Collect(t.Context(), garbage.Request{DryRun: true}, &out); err != nil {
			t.Fatal(err)
		}
		newestFirst := slices.SortedFunc(maps.Keys(want), func(a, b string) int { return want[b].Compare(want[a]) })
		for i, tag := range newestFirst {
			if goes := strings.Contains(out.String(), "tag app:"+tag+" by "); goes != (i > keep) {
				t.Errorf("of %d tags %s goes: %t\n%s", keep+1, tag, goes, out.String())
			}
		}
	}
}

// TestTimesOfPushes passes the times of pushes on from store to store.
func TestTimesOfPushes(t *testing.T) {
	today := time.Now().Truncate(time.Microsecond)
	ago := func(days int) time.Time { return today.AddDate(0, 0, -days) }
	source, target := newAged(t), newAged(t)
	want := map[string]time.Time{"a": ago(1), "b": ago(40), "c": ago(20)}
	for i, tag := range []string{"a", "b", "c"} {
		source.push(t, tag, uint64(i), want[tag])
	}
	copyTo := func(from storagedriver.StorageDriver, to storagedriver.StorageDriver) {
		t.Helper()
		if _, err := between(t, from, to, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	atOnce := listed{inmemory.New()}
	copyTo(source, target)
	copyTo(target, atOnce)
	for _, each := range []storagedriver.StorageDriver{source, target, atOnce} {
		expectPushes(t, each, want)
	}

	// The second run takes over what was pushed since, on whichever side that was later.
	want["a"], want["b"], want["c"] = today.Add(time.Minute), ago(2), ago(3)
	target.push(t, "a", 0, want["a"])
	source.push(t, "b", 1, want["b"])
	source.push(t, "c", 9, want["c"])
	copyTo(source, target)
	expectPushes(t, target, want)
	copyTo(target, atOnce)
	expectPushes(t, atOnce, want)
}

// TestTimesAfterFailures has a run that ends before it tells of a push, or fails to do so at first.
func TestTimesAfterFailures(t *testing.T) {
	for name, failures := range map[string]int{"once": 1, "for good": 1 << 10} {
		t.Run(name, func(t *testing.T) {
			source, to := newAged(t), registrytest.NewSpy(inmemory.New())
			// The bubble's clock begins with the year 2000.
			want := map[string]time.Time{"latest": time.Date(1999, 12, 1, 0, 0, 0, 0, time.UTC)}
			source.push(t, "latest", 1, want["latest"])
			to.Before = func(action, path string) error {
				if _, _, ok := layout.CarriedOf(path); ok && action == "put" && failures > 0 {
					failures--
					return errors.New("the connection broke")
				}
				return nil
			}
			synctest.Test(t, func(t *testing.T) {
				_, err := between(t, source, to, Options{})
				failures = 0
				if err != nil {
					_, err = between(t, source, to, Options{})
				}
				if err != nil {
					t.Error(err)
				}
			})
			expectPushes(t, to, want)
		})
	}
}

// TestCollectionsReadNoTimes expects a collection to know the times from the names of files.
func TestCollectionsReadNoTimes(t *testing.T) {
	source, to := newAged(t), registrytest.NewSpy(inmemory.New())
	want := map[string]time.Time{"latest": time.Now().Truncate(time.Microsecond).AddDate(0, 0, -40)}
	source.push(t, "latest", 1, want["latest"])
	if _, err := between(t, source, to, Options{}); err != nil {
		t.Fatal(err)
	}
	expectPushes(t, to, want)
	for _, action := range []string{"get", "read", "list"} {
		for path := range files(t, to.StorageDriver) {
			if _, _, ok := layout.CarriedOf(path); ok && to.Count(action, path) > 0 {
				t.Errorf("%s of %s", action, path)
			}
		}
	}
}
