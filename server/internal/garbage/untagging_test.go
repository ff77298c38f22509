package garbage

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// tagged is what a tag names in the store.
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

// TestPushedBeforeItGoes is a tag that another server writes after a deletion has seen that it
// names what is deleted, and before it goes.
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

// TestTagThatMayStillGo is of a deletion that the store may carry out later: pushes of the tag are
// refused until that can't be any more, others are not. A collection takes away what is left of it.
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
	for len(b.untaggings(t)) > 0 {
		b.collect(t, Request{})
	}
	if got := b.tagged(t, "app", "latest"); got != old {
		t.Errorf("the tag names %q", got)
	}
}
