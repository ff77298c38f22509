package garbage

import (
	"errors"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/garbage/plan"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestMissingLinks has manifests written by other servers, by this one before it wrote such links, and by one
// that died in a push.
func TestMissingLinks(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	image := r.Push(t, "team/app", "1", registrytest.Layer(1, 100))
	about := r.PushAbout(t, "team/app", "", image)
	if err := r.collector.driver.Delete(t.Context(), layout.RepositoryPath("team/app", layout.Referrers)); err != nil {
		t.Fatal(err)
	}
	if found := r.Referrers(t, "team/app", image, ""); found != nil {
		t.Fatal(found)
	}
	r.collect(t, Request{DryRun: true})
	if found := r.Referrers(t, "team/app", image, ""); found != nil {
		t.Error("a dry run wrote", found)
	}
	for _, listed := range []int{1, 0} {
		if report := r.collect(t, Request{}); report.Listed != listed {
			t.Errorf("%s", report)
		}
		if found := r.Referrers(t, "team/app", image, ""); !slices.Equal(found, []digest.Digest{about}) {
			t.Error(found)
		}
	}
}

// TestMissingLinkOnFullDisk is written after what is free has been deleted.
func TestMissingLinkOnFullDisk(t *testing.T) {
	driver := registrytest.NewSpy(folder(t))
	r := serve(t, driver, "a", quick, newest)
	image := r.Push(t, "app", "2", registrytest.Layer(2, 100))
	about := r.PushAbout(t, "app", "", image)
	old := r.Push(t, "old/app", "1", registrytest.Layer(1, 100))
	r.Push(t, "old/app", "2", registrytest.Layer(3, 100))
	if err := driver.Delete(t.Context(), layout.RepositoryPath("app", layout.Referrers)); err != nil {
		t.Fatal(err)
	}
	driver.Before = func(action, path string) error {
		if action == "put" && strings.Contains(path, layout.Referrers) {
			if _, err := driver.Stat(t.Context(), layout.BlobPath(old)); !layout.IsMissing(err) {
				return errors.New("full")
			}
		}
		return nil
	}
	r.collect(t, Request{})
	if found := r.Referrers(t, "app", image, ""); !slices.Equal(found, []digest.Digest{about}) {
		t.Error(found)
	}
}

// TestListedByItsPusher is pushed during a collection, which does not list it again.
func TestListedByItsPusher(t *testing.T) {
	r := serve(t, folder(t), "a", quick, newest)
	image := r.Push(t, "app", "1", registrytest.Layer(1, 100))
	r.Push(t, "app", "2", registrytest.Layer(2, 100))
	collection := r.begin(t)
	r.PushAbout(t, "app", "", image)
	list := collection.missingLinks()
	if err := collection.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := collection.complete(t.Context(), list); err != nil || collection.report.Listed > 0 {
		t.Errorf("%d were listed, %v", collection.report.Listed, err)
	}
}

// TestSubjectThatComesLater has a signature pushed before its image, and a collection in
// between.
func TestSubjectThatComesLater(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
	image := r.another(t).Push(t, "elsewhere", "1", registrytest.Layer(1, 100))
	about := r.PushAbout(t, "elsewhere/copy", "", image)
	r.collect(t, Request{})
	r.Copy(t, "elsewhere", "elsewhere/copy", "1")
	r = r.another(t)
	r.collect(t, Request{DeleteUntagged: true})
	if found := r.Referrers(t, "elsewhere/copy", image, ""); !slices.Equal(found, []digest.Digest{about}) {
		t.Error(found)
	}
	r.Pulled(t)
}

// TestSubjectThatComesElsewhere has an image pushed again when what is about it, in another
// repository, is already on the list of deletions.
func TestSubjectThatComesElsewhere(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
	image := r.Push(t, "team/app", "1", registrytest.Layer(1, 100))
	about := r.another(t).PushAbout(t, "signatures", "", image)
	content := r.content(t, "team/app", "1")
	r.Delete(t, "team/app", image.String())
	collection := r.begin(t)
	if !slices.ContainsFunc(collection.todo.Deletions, func(d plan.Deletion) bool { return d.Stage == plan.Manifests && d.Digest == about }) {
		t.Fatal("it is not on the list")
	}
	if status, text := r.tryManifest(t, "team/app", "2", content); status != http.StatusCreated {
		t.Fatalf("%d: %s", status, text)
	}
	if err := collection.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := r.Referrers(t, "signatures", image, ""); !slices.Equal(found, []digest.Digest{about}) {
		t.Error(found)
	}
	r.checkLinks(t)
}

// TestLinkThatIsNeededAgain has a manifest pushed again when its link is already on the list of
// deletions, through the server that collects and through another one.
func TestLinkThatIsNeededAgain(t *testing.T) {
	for _, through := range []string{"a", "b"} {
		r := serve(t, folder(t), "a", quick, Options{})
		image := r.Push(t, "team/app", "1", registrytest.Layer(1, 100))
		about := r.PushAbout(t, "team/app", "", image)
		if err := r.collector.driver.Delete(t.Context(), path.Dir(layout.RevisionPath("team/app", about))); err != nil {
			t.Fatal(err)
		}
		collection := r.begin(t)
		if !slices.ContainsFunc(collection.todo.Deletions, func(d plan.Deletion) bool { return d.Stage == plan.Links }) {
			t.Fatal("the link is not on the list")
		}
		other := r
		if through != "a" {
			other = serve(t, r.collector.driver, through, quick, Options{})
		}
		other.PushAbout(t, "team/app", "", image)
		if err := collection.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if found := r.Referrers(t, "team/app", image, ""); !slices.Equal(found, []digest.Digest{about}) {
			t.Error(found)
		}
		r.checkLinks(t)
	}
}
