package referrers

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"runtime"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/turns"
)

// many is a store with any number of links to what is about each image, which leads nowhere.
type many struct {
	storagedriver.StorageDriver
	links int
}

func (m many) List(ctx context.Context, folder string) ([]string, error) {
	names, err := m.StorageDriver.List(ctx, folder)
	if !strings.Contains(folder, "/"+layout.Referrers+"/") {
		return names, err
	}
	if path.Base(folder) != "sha256" {
		return []string{folder + "/sha256"}, nil
	}
	for i := range m.links {
		names = append(names, folder+"/"+digest.FromString(fmt.Sprint(i)).Encoded())
	}
	return names, nil
}

// TestLookedAt has more about an image than is looked at for one answer: all of it is found, however
// short the answers are.
func TestLookedAt(t *testing.T) {
	driver := registrytest.NewSpy(many{inmemory.New(), looked + 10})
	client := serve(t, driver, "")
	image := client.Push(t, "team/app", "1")
	client.PushBlob(t, "team/app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	var all []digest.Digest
	for i, size := range []int{100, 100 << 10, 100, 200 << 10} {
		m := signature(image, "b")
		m.Annotations["text"] = strings.Repeat(fmt.Sprint(i), size)
		all = append(all, client.PushManifest(t, "team/app", "", m.MediaType, m))
	}
	slices.Sort(all)
	for query, want := range map[string][]digest.Digest{"": all, "?n=1": all, "?artifactType=application/vnd.example.b": all, "?artifactType=application/vnd.example.a": nil} {
		found := client.Referrers(t, "team/app", image, query)
		if slices.Sort(found); !slices.Equal(found, want) {
			t.Errorf("%s: %v instead of %v", query, found, want)
		}
	}
	links := layout.RepositoryPath("team/app", layout.Revisions)
	next := "/v2/team/app/referrers/" + image.String() + "?artifactType=application/vnd.example.a"
	began := driver.Count("get", links)
	for pages := 0; next != ""; pages++ {
		before := driver.Count("get", links)
		response, index := answer(t, client, next)
		if n := driver.Count("get", links) - before; n > looked || len(index.Manifests) > 0 || response.StatusCode != http.StatusOK || pages > 10 {
			t.Fatalf("page %d: %s, %d looked at, %v", pages, response.Status, n, index.Manifests)
		}
		next, _, _ = strings.Cut(strings.TrimPrefix(response.Header.Get("Link"), "<"), ">")
	}
	// Where none of the type is large, none is looked for.
	if n := driver.Count("get", links) - began; n != looked+10+len(all) {
		t.Errorf("%d looked at", n)
	}
}

// TestListsInTurn has many clients ask for what may be any number: each list is in memory as a whole.
func TestListsInTurn(t *testing.T) {
	driver := &registrytest.Lists{StorageDriver: many{inmemory.New(), 1}}
	lists := turns.New(0)
	asking, ctx := errgroup.WithContext(t.Context())
	for i := range 32 {
		asking.Go(func() error {
			_, _, err := NewLister(driver, lists).About(ctx, "team/app", digest.FromString(fmt.Sprint(i)), 1)
			return err
		})
	}
	if err := asking.Wait(); err != nil {
		t.Fatal(err)
	}
	if all, most := driver.Count(); all < 32 || most > 16 {
		t.Errorf("%d of %d lists at once", most, all)
	}
}

// TestMemory has no more of a list kept than is looked at.
func TestMemory(t *testing.T) {
	q := question{Lister: NewLister(many{inmemory.New(), 60_000}, turns.New(0)), repository: "team/app", subject: digest.FromString("an image")}
	heap := func() int {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := heap()
	found, err := q.candidates(t.Context(), "", false, looked)
	if err != nil {
		t.Fatal(err)
	}
	if held := heap() - before; held > 1<<20 {
		t.Errorf("%d KiB are held", held>>10)
	}
	runtime.KeepAlive(found)
}
