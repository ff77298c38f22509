package writes

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// registry is a whole registry, and what is told of it in the order of the times.
type registry struct {
	registrytest.Client
	mu   sync.Mutex
	told []Write
}

func serve(t *testing.T) *registry {
	t.Helper()
	logrus.SetLevel(logrus.FatalLevel)
	r, driver := &registry{}, registrytest.NewSpy(inmemory.New())
	driver.Before = func(_, path string) error {
		if layout.TagFolder(path) != "" {
			// Other requests come in between.
			time.Sleep(time.Millisecond)
		}
		return nil
	}
	config := registrytest.Config(t, driver)
	enginestore.Use(config)
	f := fence.New(driver, "a", fence.TimingOf("inmemory"), fence.NoCache{})
	observe := func(_ context.Context, w Write) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.told = append(r.told, w)
	}
	holdBack := func() func() { return func() {} }
	server := httptest.NewServer(Handler(f.Handler(handlers.NewApp(t.Context(), config), ""), holdBack, "", observe))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// of returns the writes that changed a tag, in the order of their times.
func (r *registry) of(tag string) []Write {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(r.told), func(w Write) bool {
		return !slices.ContainsFunc(w.Tags, func(c TagChange) bool { return c.Name == tag })
	})
	slices.SortFunc(list, func(a, b Write) int { return a.Time.Compare(b.Time) })
	return list
}

// follow expects each write of a tag to change what the one before it left there.
func follow(t *testing.T, list []Write) {
	t.Helper()
	var left digest.Digest
	for i, w := range list {
		if len(w.Tags) != 1 || w.Tags[0].From != left {
			t.Errorf("%d: %s of %+v, and before it the tag named %q", i, w.Action, w.Tags, left)
		}
		if left = w.Digest; w.Action == Delete {
			left = ""
		}
	}
}

// TestAtOnce has clients push and delete the same tag at the same time.
func TestAtOnce(t *testing.T) {
	r := serve(t)
	const clients, times = 4, 10
	var group sync.WaitGroup
	for i := range clients {
		source := string(rune('a' + i))
		r.Push(t, "app", source, registrytest.Layer(uint64(i), 100))
		group.Go(func() {
			for range times {
				r.Retag(t, "app", source, "latest")
				r.Status(t, http.MethodDelete, "/v2/app/manifests/latest")
			}
		})
	}
	group.Wait()
	list := r.of("latest")
	if len(list) < clients*times {
		t.Errorf("%d are told", len(list))
	}
	follow(t, list)
}

// TestSlowPush sends the rest of its manifest after another push of the tag is done.
func TestSlowPush(t *testing.T) {
	r := serve(t)
	r.Push(t, "app", "latest", registrytest.Layer(1, 100))
	manifest := `{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageIndex + `","manifests":[]}`
	body, client := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, r.URL+"/v2/app/manifests/latest", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", v1.MediaTypeImageIndex)
	request.Header.Set("Expect", "100-continue")
	var group sync.WaitGroup
	group.Go(func() {
		if response, err := http.DefaultClient.Do(request); err != nil || response.StatusCode != http.StatusCreated {
			t.Errorf("%+v: %v", response, err)
		}
	})
	// Once some of the manifest was taken, the server has asked for it.
	_, err = io.WriteString(client, manifest[:10])
	r.Push(t, "app", "latest", registrytest.Layer(2, 100))
	if _, rest := io.WriteString(client, manifest[10:]); err != nil || rest != nil || client.Close() != nil {
		t.Fatal(err, rest)
	}
	group.Wait()
	list := r.of("latest")
	if len(list) != 3 {
		t.Errorf("%d are told", len(list))
	}
	follow(t, list)
}

// TestSeveralTags of one push, one of which is given twice, go with their manifest.
func TestSeveralTags(t *testing.T) {
	r := serve(t)
	old := r.Push(t, "app", "a", registrytest.Layer(1, 100))
	manifest := `{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageIndex + `","manifests":[]}`
	d := digest.FromString(manifest)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, r.URL+"/v2/app/manifests/"+d.String()+"?tag=b&tag=a&tag=b", strings.NewReader(manifest))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", v1.MediaTypeImageIndex)
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("%+v: %v", response, err)
	}
	response.Body.Close()
	r.Delete(t, "app", d.String())
	want := [][]TagChange{{{"a", old}, {"b", ""}}, {{"a", d}, {"b", d}}}
	list := r.of("b")
	if len(list) != len(want) {
		t.Fatalf("%+v", list)
	}
	for i, w := range list {
		if !slices.Equal(w.Tags, want[i]) {
			t.Errorf("got %+v, want %+v", w.Tags, want[i])
		}
	}
}
