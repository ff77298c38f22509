package mirror

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// cache is a bounded cache with blobs of 400 bytes, the first of which was fetched first.
func cache(t *testing.T, most int64, number int) (b *Bound, spy *registrytest.Spy, blobs []digest.Digest) {
	t.Helper()
	spy = registrytest.NewSpy(filesystem.New(filesystem.DriverParameters{RootDirectory: t.TempDir(), MaxThreads: 100}))
	for i := range number {
		content := registrytest.Layer(uint64(i), 400)
		d := digest.FromBytes(content)
		write(t, spy, layout.BlobPath(d), content)
		for _, repository := range []string{"library/a", "library/b"} {
			write(t, spy, layout.LinkPath(layout.RepositoryPath(repository, layout.Layers), d), []byte(d))
		}
		blobs = append(blobs, d)
	}
	b = NewBound(spy, most, func() {}, logrus.NewEntry(logrus.New()))
	return b, spy, blobs
}

func write(t *testing.T, driver storagedriver.StorageDriver, path string, content []byte) {
	t.Helper()
	if err := driver.PutContent(t.Context(), path, content); err != nil {
		t.Fatal(err)
	}
}

// left are the blobs that the cache still has.
func left(t *testing.T, driver storagedriver.StorageDriver, blobs []digest.Digest) (indexes []int) {
	t.Helper()
	for i, d := range blobs {
		_, err := driver.Stat(t.Context(), layout.BlobPath(d))
		if err == nil {
			indexes = append(indexes, i)
			continue
		}
		for _, repository := range []string{"library/a", "library/b"} {
			if _, err := driver.Stat(t.Context(), layout.LinkPath(layout.RepositoryPath(repository, layout.Layers), d)); !layout.IsMissing(err) {
				t.Errorf("%s has a link to %d: %v", repository, i, err)
			}
		}
	}
	return indexes
}

func get(ctx context.Context, handler http.Handler, d digest.Digest) {
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v2/library/a/blobs/"+d.String(), http.NoBody)
	handler.ServeHTTP(httptest.NewRecorder(), request)
}

// TestBound spares what is asked for, and then what was pulled last, however it got its links.
func TestBound(t *testing.T) {
	b, spy, blobs := cache(t, 2100, 5)
	b.Note(Pull{Digest: blobs[1]}, time.Now().Add(time.Hour))
	shrink := func() {
		t.Helper()
		if err := b.shrink(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	shrink()
	if got := left(t, spy, blobs); len(got) != 5 {
		t.Errorf("there is room, and left are %v", got)
	}
	b.most = 1200
	engine := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { shrink() })
	get(t.Context(), b.Handler(engine, ""), blobs[0])
	if got := left(t, spy, blobs); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("while 0 is asked for, left are %v", got)
	}
	b.most = 500
	shrink()
	if got := left(t, spy, blobs); !slices.Equal(got, []int{1}) {
		t.Errorf("after that, left are %v", got)
	}
	if got := b.Evicted(); got.Blobs != 4 || got.Bytes != 4*400 || got.Most != 2100 {
		t.Errorf("evicted are %+v", got)
	}
	if b.asked.InUse("library/a") || len(b.pulled) > 1 {
		t.Errorf("remembered are %v, %v", b.asked, b.pulled)
	}
}

// TestRest expects a rest that is longer than the work before it.
func TestRest(t *testing.T) {
	for took, want := range map[time.Duration]time.Duration{0: pace, time.Second / 4: pace, time.Minute: 4 * time.Minute} {
		if got := rest(took); got != want {
			t.Errorf("after %s: %s, want %s", took, got, want)
		}
	}
}

// TestAskedWhileItGoes expects a request to wait for a deletion, and the engine to look for the blob after
// that.
func TestAskedWhileItGoes(t *testing.T) {
	b, spy, blobs := cache(t, 1, 1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	answered := make(chan bool, 2)
	handler := b.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		_, err := spy.Stat(t.Context(), layout.BlobPath(blobs[0]))
		answered <- layout.IsMissing(err)
	}), "")
	spy.Before = func(action, path string) error {
		if action == "delete" && strings.HasPrefix(path, layout.Blobs) {
			go get(t.Context(), handler, blobs[0])
			// A client that has gone does not wait.
			get(gone, handler, blobs[0])
			if len(answered) > 0 {
				t.Error("the engine was asked meanwhile")
			}
		}
		return nil
	}
	if err := b.shrink(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !<-answered {
		t.Error("the engine found what was being deleted")
	}
}

// TestBoundThatFails expects another attempt, without a pull.
func TestBoundThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, spy, blobs := cache(t, 1, 1)
		var working atomic.Bool
		spy.Before = func(action, _ string) error {
			if action == "delete" && !working.Load() {
				return errors.New("failing")
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go b.Run(ctx)
		time.Sleep(time.Second)
		if failed := spy.Count("delete", ""); failed != 1 {
			t.Errorf("%d attempts", failed)
		}
		working.Store(true)
		time.Sleep(time.Minute)
		if got := left(t, spy, blobs); len(got) > 0 {
			t.Errorf("left are %v", got)
		}
	})
}
