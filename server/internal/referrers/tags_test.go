package referrers

import (
	"maps"
	"slices"
	"testing"

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
