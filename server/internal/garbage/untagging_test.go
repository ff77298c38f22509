package garbage

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// tagged is the digest that a tag names in the store.
func (r *rig) tagged(t *testing.T, repository, tag string) digest.Digest {
	t.Helper()
	content, err := r.collector.driver.GetContent(t.Context(), layout.TagPath(repository, tag))
	if err != nil && !layout.IsMissing(err) {
		t.Fatal(err)
	}
	return digest.Digest(content)
}

// untaggings are the objects of deletions that are under way, or were.
func (r *rig) untaggings(t *testing.T) []string {
	t.Helper()
	names, err := layout.Names(t.Context(), r.collector.driver, "/container-registry-collection")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, "untagging-") })
}

// TestPushedBeforeItGoes has another server write a tag after a deletion has seen that the tag
// names what is deleted, and before the tag goes.
func TestPushedBeforeItGoes(t *testing.T) {
	driver := &after{folder(t), func(string) {}}
	a, b := serve(t, driver, "a", quick, Options{}), serve(t, driver.StorageDriver, "b", quick, Options{})
	old := a.Push(t, "app", "latest", registrytest.Layer(1, 100))
	pushed := make(chan digest.Digest, 1)
	driver.read = func(path string) {
		if path != layout.TagPath("app", "latest") || len(b.untaggings(t)) == 0 {
			return
		}
		driver.read = func(string) {}
		go func() { pushed <- b.Push(t, "app", "latest", registrytest.Layer(2, 100)) }()
		for b.tagged(t, "app", "latest") == old {
			time.Sleep(time.Millisecond)
		}
	}
	a.Delete(t, "app", old.String())
	if want, got := <-pushed, b.tagged(t, "app", "latest"); got != want {
		t.Errorf("the tag names %q, and %s was pushed", got, want)
	}
	if left := a.untaggings(t); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// TestTagThatMayStillGo has a deletion that the store may carry out later. Until that can no longer happen,
// pushes of the tag are refused, and others are not.
func TestTagThatMayStillGo(t *testing.T) {
	driver := registrytest.NewSpy(folder(t))
	timing := quick
	timing.Expiry, timing.Patience = time.Second, 50*time.Millisecond
	a, b := serve(t, driver, "a", timing, Options{}), serve(t, driver.StorageDriver, "b", timing, Options{})
	old := a.Push(t, "app", "latest", registrytest.Layer(1, 100))
	driver.Before = func(action, path string) error {
		if action == "delete" && path == layout.TagFolder(layout.TagPath("app", "latest")) {
			return http.ErrHandlerTimeout
		}
		return nil
	}
	if status := a.Status(t, http.MethodDelete, "/v2/app/manifests/"+old.String()); status != http.StatusServiceUnavailable {
		t.Errorf("the deletion was answered with %d", status)
	}
	content := a.content(t, "app", "latest")
	for _, r := range []*rig{a, b} {
		if status, text := r.tryManifest(t, "app", "latest", content); status != http.StatusServiceUnavailable || !strings.Contains(text, "push again") {
			t.Errorf("%d: %s", status, text)
		}
		if status, text := r.tryManifest(t, "app", "other", content); status != http.StatusCreated {
			t.Errorf("%d: %s", status, text)
		}
	}
	for status := 0; status != http.StatusCreated; {
		status, _ = b.tryManifest(t, "app", "latest", content)
	}
	poll.Until(t, "the end of untaggings", func() bool { return len(b.untaggings(t)) == 0 })
	if got := b.tagged(t, "app", "latest"); got != old {
		t.Errorf("the tag names %q", got)
	}
}

// TestAnnouncementsThatStay has objects left by dead servers, which the next deletion clears away, and by stores
// that write and then report an error, which are cleared away at once.
func TestAnnouncementsThatStay(t *testing.T) {
	driver := registrytest.NewSpy(folder(t))
	timing := quick
	timing.Expiry = time.Second
	r := serve(t, driver, "a", timing, Options{})
	const left = "/container-registry-collection/untagging-0123456789abcdef-dead"
	if err := driver.PutContent(t.Context(), left, nil); err != nil {
		t.Fatal(err)
	}
	poll.Until(t, "the end of untaggings", func() bool {
		r.Delete(t, "app", r.Push(t, "app", "latest", registrytest.Layer(1, 100)).String())
		return len(r.untaggings(t)) == 0
	})
	image := r.Push(t, "app", "latest", registrytest.Layer(1, 100))
	driver.Before = func(action, path string) error {
		if action == "put" && strings.Contains(path, "/untagging-") {
			if err := driver.StorageDriver.PutContent(t.Context(), path, nil); err != nil {
				t.Error(err)
			}
			return http.ErrHandlerTimeout
		}
		return nil
	}
	if status := r.Status(t, http.MethodDelete, "/v2/app/manifests/"+image.String()); status != http.StatusServiceUnavailable {
		t.Errorf("the deletion was answered with %d", status)
	}
	if left := r.untaggings(t); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// TestPushWithManyTags is refused before any tag is read or written.
func TestPushWithManyTags(t *testing.T) {
	r := serve(t, folder(t), "a", fence.TimingOf("filesystem"), Options{})
	r.Push(t, "app", "latest", registrytest.Layer(1, 100))
	content := r.content(t, "app", "latest")
	for n, want := range map[int]int{manifest.MostTags: http.StatusCreated, manifest.MostTags + 1: http.StatusRequestURITooLong} {
		tags := url.Values{}
		for i := range n {
			tags.Add("tag", fmt.Sprintf("%d-%d", n, i))
		}
		if status, text := r.tryManifest(t, "app", digest.FromString(content).String()+"?"+tags.Encode(), content); status != want || status >= 400 && !strings.Contains(text, `"code":"UNSUPPORTED"`) {
			t.Errorf("%d tags: %d: %s", n, status, text)
		}
	}
	if tags := r.Tags(t, "app"); len(tags) != 1+manifest.MostTags {
		t.Errorf("%d tags", len(tags))
	}
}

// TestSizesOfOthers expects no size to be told of a blob that only another repository has: it is unknown here.
func TestSizesOfOthers(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	layer := registrytest.Layer(7, 12345)
	r.Push(t, "secret/app", "1", layer)
	r.Push(t, "mine/app", "1", registrytest.Layer(8, 100))
	answers := map[string]bool{}
	for _, d := range []digest.Digest{digest.FromBytes(layer), digest.FromString("nowhere")} {
		status, text := r.tryManifest(t, "mine/app", "2", fmt.Sprintf(
			`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":1},"layers":[]}`, v1.MediaTypeImageManifest, v1.MediaTypeImageConfig, d))
		answers[fmt.Sprint(status, strings.ReplaceAll(text, d.String(), "it"))] = true
	}
	if len(answers) != 1 {
		t.Errorf("what is there is told from what is nowhere: %v", answers)
	}
}
