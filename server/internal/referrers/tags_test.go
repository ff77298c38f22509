package referrers

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestWriteTags has a stock server serve what was written.
func TestWriteTags(t *testing.T) {
	driver := inmemory.New()
	client := serve(t, driver, "")
	signed, tagged := client.Push(t, "team/app", "1"), client.Push(t, "team/app/sub", "2")
	client.PushBlob(t, "team/app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	about := []digest.Digest{
		client.PushManifest(t, "team/app", "", v1.MediaTypeImageManifest, signature(signed, "a")),
		client.PushManifest(t, "team/app", "", v1.MediaTypeImageManifest, signature(signed, "b")),
	}
	slices.Sort(about)
	noted := client.PushAbout(t, "team/app/sub", "", tagged)
	client.PushIndex(t, "team/app/sub", layout.ReferrersTag(tagged), noted)
	client.PushAbout(t, "team/app", "", digest.FromString("never pushed"))
	config := registrytest.Config(t, driver)
	stock := registrytest.Serve(t, config)

	before := stock.Pulled(t)
	for _, step := range []struct {
		dryRun        bool
		written, kept int
	}{{true, 2, 0}, {false, 2, 0}, {false, 0, 2}} {
		tags, err := WriteTags(t.Context(), config, step.dryRun)
		if err != nil || tags.Written != step.written || tags.Kept != step.kept || tags.TooLarge != nil {
			t.Fatalf("%+v: %s %v", step, tags, err)
		}
		if step.dryRun && !slices.Equal(stock.Pulled(t), before) {
			t.Error("a dry run wrote")
		}
	}
	_, index := answer(t, stock, "/v2/team/app/manifests/"+layout.ReferrersTag(signed))
	var got []digest.Digest
	for _, each := range index.Manifests {
		got = append(got, each.Digest)
		if each.ArtifactType == "" || !maps.Equal(each.Annotations, map[string]string{"name": each.ArtifactType[len("application/vnd.example."):]}) {
			t.Errorf("%+v", each)
		}
	}
	if !slices.Equal(got, about) {
		t.Errorf("%v instead of %v", got, about)
	}
	for repository, want := range map[string]int{"team/app": 2, "team/app/sub": 2} {
		if tags := stock.Tags(t, repository); len(tags) != want {
			t.Errorf("%s: %v", repository, tags)
		}
	}
}

// TestOneWrongAnswer is of a store that says once of something that it is not there, of all that
// is asked for in turn: the tags are right all the same.
func TestOneWrongAnswer(t *testing.T) {
	driver := inmemory.New()
	client := serve(t, driver, "")
	image := client.Push(t, "team/app", "1")
	client.PushAbout(t, "team/app", "", image)
	client.PushManifest(t, "team/app", "", v1.MediaTypeImageManifest, signature(image, "b"))
	if _, err := WriteTags(t.Context(), registrytest.Config(t, driver), false); err != nil {
		t.Fatal(err)
	}
	store := &registrytest.Forgetful{StorageDriver: driver}
	config := registrytest.Config(t, store)
	if _, err := WriteTags(t.Context(), config, true); err != nil {
		t.Fatal(err)
	}
	for _, question := range slices.Compact(slices.Sorted(slices.Values(store.Asked))) {
		store.Lost = question
		if tags, err := WriteTags(t.Context(), config, true); err != nil || tags.Kept != 1 || tags.Written != 0 || store.Lost != "" {
			t.Errorf("nothing there to %s: %s %v", question, tags, err)
		}
	}
}

// TestFoldersAreListedOnce however many images have no such tag, or are gone: each would list those of
// all others.
func TestFoldersAreListedOnce(t *testing.T) {
	driver := registrytest.NewSpy(filesystem.New(filesystem.DriverParameters{RootDirectory: t.TempDir(), MaxThreads: 25}))
	client := serve(t, driver, "")
	for i, tag := range []string{"1", "2", "3"} {
		client.PushAbout(t, "app", "", client.Push(t, "app", tag, []byte(tag)))
		client.PushAbout(t, "app", "", digest.FromString(fmt.Sprint("never pushed", i)))
	}
	folders := layout.RepositoryPath("app", layout.Manifests)
	before := driver.Count("list", folders)
	if tags, err := WriteTags(t.Context(), registrytest.Config(t, driver), true); err != nil || tags.Written != 3 {
		t.Fatalf("%s %v", tags, err)
	}
	// The one of both, and that of the tags.
	if n := driver.Count("list", folders) - before; n > 2 {
		t.Errorf("%d lists", n)
	}
}

// TestStaleTags has what was about an image deleted since the tags were written, with the image or
// without. Whatever else has such a tag keeps it, and so does what is about an image that is gone.
func TestStaleTags(t *testing.T) {
	driver := inmemory.New()
	client := serve(t, driver, "")
	config := registrytest.Config(t, driver)
	stale, listed, copied := client.Push(t, "app", "1", []byte("1")), client.Push(t, "app", "2", []byte("2")), client.Push(t, "app", "3", []byte("3"))
	noted, other := client.Push(t, "app", "4", []byte("4")), client.Push(t, "app", "5", []byte("5"))
	lost := client.Push(t, "app", "lost", []byte("6"))
	sparse := client.PushIndex(t, "app", "6", lost)
	left, forgotten := client.Push(t, "app", "7", []byte("7")), client.Push(t, "app", "8", []byte("8"))
	gone := []digest.Digest{lost, client.PushAbout(t, "app", "", stale), left, forgotten, client.PushAbout(t, "app", "", forgotten)}
	client.PushAbout(t, "app", "", listed)
	client.PushAbout(t, "app", "", left)
	if _, err := WriteTags(t.Context(), config, false); err != nil {
		t.Fatal(err)
	}
	client.Retag(t, "app", "3", layout.ReferrersTag(copied))
	client.Retag(t, "app", "1", layout.ReferrersTag(other))
	client.PushIndex(t, "app", layout.ReferrersTag(noted), other)
	if err := driver.PutContent(t.Context(), layout.TagPath("app", layout.ReferrersTag(sparse)), []byte(sparse)); err != nil {
		t.Fatal(err)
	}
	for _, d := range gone {
		client.Delete(t, "app", d.String())
	}
	want := client.Tags(t, "app")
	for _, dryRun := range []bool{true, false} {
		if tags, err := WriteTags(t.Context(), config, dryRun); err != nil || tags.Removed != 2 || tags.Kept != 1 || tags.Written != 0 {
			t.Errorf("%s %v", tags, err)
		}
		if !dryRun {
			want = slices.DeleteFunc(want, func(tag string) bool {
				return tag == layout.ReferrersTag(stale) || tag == layout.ReferrersTag(forgotten)
			})
		}
		if tags := client.Tags(t, "app"); !slices.Equal(tags, want) {
			t.Errorf("dry run %t: %q instead of %q", dryRun, tags, want)
		}
	}
}
