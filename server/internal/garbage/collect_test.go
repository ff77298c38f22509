package garbage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/garbage/retention"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

func TestWhatGoes(t *testing.T) {
	layer := func(n uint64) []byte { return registrytest.Layer(n, 100) }
	newest := func(n int) retention.Policy { return retention.Policy{Rules: []retention.Rule{{KeepNewest: n}}} }
	// copied is an index whose tag goes, with all that cosign copy tags.
	copied := func(t *testing.T, r *rig) (gone, left []string) {
		part := r.Push(t, "app", "part", layer(1))
		index := r.PushIndex(t, "app", "1", part)
		for _, d := range []digest.Digest{part, index} {
			r.put(t, layout.TagPath("app", layout.ReferrersTag(d)), d.String())
			left = append(left, "app@"+d.String(), "app:"+layout.ReferrersTag(d))
		}
		r.Delete(t, "app", "part")
		r.Push(t, "app", "2", layer(2))
		return []string{"app:1"}, left
	}
	tests := []struct {
		name    string
		options Options
		// fill pushes, and returns what has to be gone and what has to remain.
		fill     func(*testing.T, *rig) (gone, left []string)
		manifest int
		blobs    int
	}{
		{
			"a tag that moved on",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (_, left []string) {
				r.Fill(t)
				return nil, []string{"hello-world:latest", "team/app/tools:multi"}
			},
			// The tag has moved on from this image, whose layers another tag needs.
			1, 1,
		},
		{
			"untagged manifests stay",
			Options{},
			func(t *testing.T, r *rig) (_, left []string) {
				d := r.Push(t, "app", "latest", layer(1))
				r.Push(t, "app", "latest", layer(2), layer(3))
				return nil, []string{"app@" + d.String(), "app:latest"}
			},
			0, 0,
		},
		{
			"untagged manifests go",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				d := r.Push(t, "app", "latest", layer(1))
				r.Push(t, "app", "latest", layer(2), layer(3))
				return []string{"app@" + d.String()}, []string{"app:latest"}
			},
			1, 2,
		},
		{
			"an index needs its manifests",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				amd64, arm64 := r.Push(t, "app", "amd64", layer(1)), r.Push(t, "app", "arm64", layer(2))
				r.PushIndex(t, "app", "multi", amd64, arm64)
				r.Delete(t, "app", "amd64")
				r.Delete(t, "app", "arm64")
				return []string{"app:amd64"}, []string{"app:multi", "app@" + amd64.String(), "app@" + arm64.String()}
			},
			0, 0,
		},
		{
			"a deleted index takes its manifests along, unless they have tags",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				amd64, arm64 := r.Push(t, "app", "amd64", layer(1)), r.Push(t, "app", "arm64", layer(2))
				index := r.PushIndex(t, "app", "multi", amd64, arm64)
				r.Delete(t, "app", "amd64")
				r.Delete(t, "app", "multi")
				return []string{"app@" + index.String(), "app@" + amd64.String()}, []string{"app:arm64"}
			},
			2, 4,
		},
		{
			"what is about a manifest stays with it",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				image := r.Push(t, "app", "1.0", layer(1))
				signature := r.PushAbout(t, "app", "", image)
				about := r.PushAbout(t, "app", "", signature)
				return nil, []string{"app:1.0", "app@" + signature.String(), "app@" + about.String()}
			},
			0, 0,
		},
		{
			"what is about a manifest goes with it",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				image := r.Push(t, "app", "1.0", layer(1))
				signature := r.PushAbout(t, "app", "", image)
				r.Push(t, "app", "2.0", layer(2))
				r.Delete(t, "app", "1.0")
				return []string{"app@" + image.String(), "app@" + signature.String()}, []string{"app:2.0"}
			},
			2, 5,
		},
		{
			"what is about a manifest of another repository stays with it",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				image := r.Push(t, "app", "", layer(1))
				r.PushIndex(t, "app", "1.0", image)
				other, signed := r.signElsewhere(t, image)
				lost := other.PushAbout(t, "signatures", "", digest.FromString("of another registry"))
				return []string{"signatures@" + lost.String()}, signed
			},
			1, 1,
		},
		{
			"what is about a manifest of another repository goes with it",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				image := r.Push(t, "app", "1.0", layer(1))
				_, signed := r.signElsewhere(t, image)
				r.Push(t, "app", "2.0", layer(2))
				r.Delete(t, "app", "1.0")
				return append(signed, "app@"+image.String()), []string{"app:2.0"}
			},
			4, 6,
		},
		{
			"what is about a manifest that is here too goes with that",
			Options{Retention: newest(1)},
			func(t *testing.T, r *rig) (gone, left []string) {
				image := r.Push(t, "app", "1.0", layer(1))
				r.Copy(t, "app", "copies", "1.0")
				signature := r.PushAbout(t, "copies", "", image)
				r.Push(t, "copies", "2.0", layer(2))
				return []string{"copies@" + image.String(), "copies@" + signature.String()}, []string{"app:1.0", "copies:2.0"}
			},
			2, 2,
		},
		{
			"a manifest stays while a tagged one is about it",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				image := r.Push(t, "app", "1.0", layer(1))
				r.PushAbout(t, "app", "signature", image)
				r.Delete(t, "app", "1.0")
				return nil, []string{"app@" + image.String(), "app:signature"}
			},
			0, 0,
		},
		{
			"retention frees an image and what is about it, and no other untagged one",
			Options{Retention: newest(1)},
			func(t *testing.T, r *rig) (gone, left []string) {
				untagged := r.Push(t, "app", "1", layer(9))
				image := r.Push(t, "app", "1", layer(1))
				signature := r.PushAbout(t, "app", "", image)
				companion := r.PushAbout(t, "app", "sha256-"+image.Encoded()+".sig", image)
				kept := r.Push(t, "app", "2", layer(2))
				keptCompanion := r.PushAbout(t, "app", "sha256-"+kept.Encoded()+".sig", kept)
				return []string{"app:1", "app@" + image.String(), "app@" + signature.String(), "app:sha256-" + image.Encoded() + ".sig", "app@" + companion.String()},
					[]string{"app:2", "app@" + untagged.String(), "app:sha256-" + kept.Encoded() + ".sig", "app@" + keptCompanion.String()}
			},
			2, 3,
		},
		{
			"what is about a manifest that was never pushed",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				r.Push(t, "app", "1", layer(1))
				about := r.another(t).PushAbout(t, "app", "", digest.FromString("never pushed"))
				tagged := r.PushAbout(t, "app", "signature", digest.FromString("never pushed either"))
				return []string{"app@" + about.String()}, []string{"app@" + tagged.String()}
			},
			1, 1,
		},
		{
			"young manifests about one that was never pushed",
			Options{DeleteUntagged: true, Grace: time.Hour},
			func(t *testing.T, r *rig) (gone, left []string) {
				about := r.PushAbout(t, "app", "", digest.FromString("not pushed yet"))
				return nil, []string{"app@" + about.String()}
			},
			0, 0,
		},
		{
			"a repository of nothing but that",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				about := r.another(t).PushAbout(t, "app", "", digest.FromString("never pushed"))
				return []string{"app@" + about.String()}, nil
			},
			1, 2,
		},
		{
			"the notes of clients go with an image that is named by sha512",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				kept, deleted := r.pushBy512(t, "app", "kept", 1), r.pushBy512(t, "app", "deleted", 2)
				about, other := r.PushAbout(t, "app", "", kept), r.PushAbout(t, "app", "", deleted)
				r.PushIndex(t, "app", layout.ReferrersTag(kept), about)
				r.PushIndex(t, "app", layout.ReferrersTag(deleted), other)
				r.Delete(t, "app", "deleted")
				return []string{"app@" + deleted.String(), "app@" + other.String(), "app:" + layout.ReferrersTag(deleted)},
					[]string{"app@" + kept.String(), "app@" + about.String(), "app:" + layout.ReferrersTag(kept)}
			},
			3, 4,
		},
		{
			"a tag with the digest of the image that it names, as imgpkg has them",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				lost := r.Push(t, "app", "2", layer(1))
				image := r.Push(t, "app", "2", layer(2))
				by512 := r.pushBy512(t, "app", "3", 3)
				own, own512 := layout.ReferrersTag(image)+".imgpkg", layout.ReferrersTag(by512)+".imgpkg"
				r.Retag(t, "app", "2", own)
				r.pushBy512(t, "app", own512, 3)
				r.Delete(t, "app", "2")
				r.Delete(t, "app", "3")
				return []string{"app@" + lost.String()}, []string{"app:" + own, "app@" + image.String(), "app:" + own512, "app@" + by512.String()}
			},
			1, 2,
		},
		{
			"such a tag is left when retention takes the others",
			Options{Retention: newest(1)},
			func(t *testing.T, r *rig) (gone, left []string) {
				image := r.Push(t, "app", "1", layer(1))
				own := layout.ReferrersTag(image) + ".imgpkg"
				r.Retag(t, "app", "1", own)
				r.Push(t, "app", "2", layer(2))
				return []string{"app:1"}, []string{"app:2", "app:" + own, "app@" + image.String()}
			},
			0, 0,
		},
		{
			"a tag of nothing but the digest of the image that it names, as cosign copy writes one, goes with the last other tag",
			Options{Retention: newest(1)},
			func(t *testing.T, r *rig) (gone, left []string) {
				part, shared := r.Push(t, "app", "part", layer(1)), r.Push(t, "app", "shared", layer(2))
				by512 := r.pushBy512(t, "app", "old", 3)
				index := r.PushIndex(t, "app", "1", part, shared)
				newest := r.PushIndex(t, "app", "2", shared)
				alone := r.Push(t, "app", "moved", layer(4))
				for _, d := range []digest.Digest{part, shared, index, newest, alone} {
					r.put(t, layout.TagPath("app", layout.ReferrersTag(d)), d.String())
				}
				r.pushBy512(t, "app", layout.ReferrersTag(by512), 3)
				r.Delete(t, "app", "part")
				r.Delete(t, "app", "shared")
				r.Delete(t, "app", "moved")
				return []string{"app:1", "app:" + layout.ReferrersTag(index), "app:" + layout.ReferrersTag(part), "app:old", "app:" + layout.ReferrersTag(by512), "app@" + by512.String()},
					[]string{"app:2", "app:" + layout.ReferrersTag(newest), "app:" + layout.ReferrersTag(shared), "app:" + layout.ReferrersTag(alone)}
			},
			3, 7,
		},
		{"such tags that a rule keeps by their name", Options{Retention: retention.Policy{Rules: []retention.Rule{{KeepNewest: 1, KeepTags: []string{"sha256-*"}}}}}, copied, 0, 0},
		{"such tags that no rule deletes", Options{Retention: retention.Policy{Rules: []retention.Rule{{KeepNewest: 1}}, AlwaysKeep: []string{"sha256-*"}}}, copied, 0, 0},
		{
			"such a tag of an image keeps it where a rule takes an index above it that has none",
			Options{Retention: newest(1)},
			func(t *testing.T, r *rig) (gone, left []string) {
				image := r.Push(t, "app", "image", layer(1))
				own := layout.ReferrersTag(image)
				r.put(t, layout.TagPath("app", own), image.String())
				r.Delete(t, "app", "image")
				index := r.PushIndex(t, "app", "1", image)
				r.Push(t, "app", "2", layer(2))
				return []string{"app:1", "app@" + index.String()}, []string{"app:" + own, "app@" + image.String()}
			},
			1, 1,
		},
		{
			"such a tag keeps its image where no rule takes another one",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (gone, left []string) {
				image := r.Push(t, "app", "1", layer(1))
				own := layout.ReferrersTag(image)
				r.Retag(t, "app", "1", own)
				r.Delete(t, "app", "1")
				return nil, []string{"app:" + own, "app@" + image.String()}
			},
			0, 0,
		},
		{
			"tags named as the folders and files of a store are",
			Options{DeleteUntagged: true},
			func(t *testing.T, r *rig) (_, left []string) {
				for n, name := range []string{"_uploads", "_manifests", "_layers", "_referrers", "current", "index", "link", "data"} {
					r.Push(t, "app", name, layer(uint64(n)))
					left = append(left, "app:"+name)
				}
				return nil, left
			},
			0, 0,
		},
		{
			"retention frees the manifests of an index",
			Options{Retention: newest(1)},
			func(t *testing.T, r *rig) (gone, left []string) {
				amd64, arm64 := r.Push(t, "app", "amd64", layer(1)), r.Push(t, "app", "arm64", layer(2))
				r.Delete(t, "app", "amd64")
				r.Delete(t, "app", "arm64")
				index := r.PushIndex(t, "app", "1", amd64, arm64)
				r.PushIndex(t, "app", "2", arm64)
				return []string{"app:1", "app@" + index.String(), "app@" + amd64.String()}, []string{"app:2", "app@" + arm64.String()}
			},
			2, 4,
		},
		{
			"tags that share a manifest",
			Options{Retention: newest(1)},
			func(t *testing.T, r *rig) (gone, left []string) {
				d := r.Push(t, "app", "1", layer(1))
				r.Retag(t, "app", "1", "latest")
				return []string{"app:1"}, []string{"app:latest", "app@" + d.String()}
			},
			0, 0,
		},
		{
			"repositories that share layers",
			Options{Retention: retention.Policy{Rules: []retention.Rule{{Repositories: []string{"app"}, KeepTags: []string{"none"}}}}},
			func(t *testing.T, r *rig) (gone, left []string) {
				r.Push(t, "app", "1", layer(1), layer(2))
				r.Push(t, "app/sub", "1", layer(1), layer(3))
				return []string{"app:1"}, []string{"app/sub:1"}
			},
			1, 3,
		},
		{
			"a dry run of retention",
			Options{Retention: retention.Policy{DryRun: true, Rules: []retention.Rule{{KeepNewest: 1}}}},
			func(t *testing.T, r *rig) (gone, left []string) {
				r.Push(t, "app", "1", layer(1))
				r.Push(t, "app", "2", layer(2))
				return nil, []string{"app:1", "app:2"}
			},
			0, 0,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := serve(t, folder(t), "a", quick, test.options)
			gone, left := test.fill(t, r)
			before := r.files(t)
			dry := r.collect(t, Request{DryRun: true})
			if !slices.Equal(before, r.files(t)) {
				t.Fatal("the dry run deleted something")
			}
			report := r.collect(t, Request{})
			if dry.Blobs != report.Blobs || dry.Bytes != report.Bytes || dry.Manifests != report.Manifests || dry.Tags != report.Tags {
				t.Errorf("the dry run said\n%s, and it was\n%s", dry, report)
			}
			if report.Manifests.Deleted != test.manifest || report.Blobs.Deleted != test.blobs {
				t.Errorf("%d manifests and %d blobs deleted, want %d and %d", report.Manifests.Deleted, report.Blobs.Deleted, test.manifest, test.blobs)
			}
			for _, each := range gone {
				if status := r.head(t, each); status != http.StatusNotFound {
					t.Errorf("%s: %d", each, status)
				}
			}
			for _, each := range left {
				if status := r.head(t, each); status != http.StatusOK {
					t.Errorf("%s: %d", each, status)
				}
			}
			r.Pulled(t)
			r.checkLinks(t)
			if again := r.collect(t, Request{}); again.Manifests.Deleted+again.Blobs.Deleted+again.Tags.Deleted != 0 {
				t.Errorf("a second collection found more: %s", again)
			}
		})
	}
}

// checkLinks expects each manifest about another one to be listed, and no other.
func (r *rig) checkLinks(t *testing.T) {
	t.Helper()
	i, err := inventory.Take(t.Context(), r.collector.driver)
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range i.Repositories {
		links := map[inventory.Referrer]bool{}
		for d := range each.Revisions {
			if subject := i.Manifests[d].Subject; subject != "" {
				links[inventory.Referrer{Subject: subject, Digest: d}] = true
			}
		}
		if !maps.Equal(links, each.Referrers) {
			t.Errorf("%s: links %v instead of %v", each.Name, each.Referrers, links)
		}
	}
}

// another server remembers what its own clients count on.
func (r *rig) another(t *testing.T) *rig {
	t.Helper()
	return serve(t, r.collector.driver, "another", quick, Options{})
}

// signElsewhere pushes a signature of an image, and one of that signature, to repositories that don't have the
// image.
func (r *rig) signElsewhere(t *testing.T, image digest.Digest) (other *rig, signed []string) {
	t.Helper()
	other = r.another(t)
	signature := other.PushAbout(t, "signatures", "", image)
	about, elsewhere := other.PushAbout(t, "signatures", "", signature), other.PushAbout(t, "attestations", "", signature)
	return other, []string{"signatures@" + signature.String(), "signatures@" + about.String(), "attestations@" + elsewhere.String()}
}

// pushBy512 pushes an image by its digest of that algorithm, and a tag.
func (r *rig) pushBy512(t *testing.T, repository, tag string, seed uint64) digest.Digest {
	t.Helper()
	layer := registrytest.Layer(seed, 100)
	r.PushBlob(t, repository, digest.FromBytes(layer), layer)
	r.PushBlob(t, repository, v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	content := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":2},"layers":[{"mediaType":%q,"digest":%q,"size":100}]}`,
		v1.MediaTypeImageManifest, v1.MediaTypeEmptyJSON, v1.DescriptorEmptyJSON.Digest, v1.MediaTypeImageLayer, digest.FromBytes(layer))
	d := digest.SHA512.FromBytes(content)
	r.PushManifest(t, repository, d.String()+"?tag="+tag, v1.MediaTypeImageManifest, json.RawMessage(content))
	return d
}

func (r *rig) head(t *testing.T, image string) int {
	t.Helper()
	name, reference, ok := strings.Cut(image, "@")
	if !ok {
		name, reference, _ = strings.Cut(image, ":")
	}
	return head(t, r.URL+"/v2/"+name+"/manifests/"+reference)
}

// files are all blobs and links.
func (r *rig) files(t *testing.T) []string {
	t.Helper()
	i, err := inventory.Take(t.Context(), r.collector.driver)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for d := range i.Blobs {
		all = append(all, d.String())
	}
	for name, each := range i.Repositories {
		all = append(all, fmt.Sprint(name, len(each.Layers), len(each.Revisions), len(each.Tags)))
	}
	slices.Sort(all)
	return all
}

// TestEmptyStore collects a store in which nothing was ever pushed, and one from which all is gone.
func TestEmptyStore(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
	r.collect(t, Request{})
	r.Push(t, "team/app", "1", registrytest.Layer(1, 100))
	r.Push(t, "team/app/sub", "1", registrytest.Layer(1, 100))
	r.Delete(t, "team/app", "1")
	if report := r.collect(t, Request{}); report.RepositoriesDeleted != 1 {
		t.Errorf("%s", report)
	}
	if got := r.Catalog(t); !slices.Equal(got, []string{"team/app/sub"}) {
		t.Errorf("the catalog has %q", got)
	}
	r.Delete(t, "team/app/sub", "1")
	r.collect(t, Request{})
	if report := r.collect(t, Request{}); report.Blobs.Found != 0 || report.Repositories != 0 {
		t.Errorf("%s", report)
	}
	if got := r.Catalog(t); len(got) != 0 {
		t.Errorf("the catalog has %q", got)
	}
	r.Push(t, "team/app", "1", registrytest.Layer(1, 100))
	r.Pulled(t)
}

// TestCaches pushes again what a collection deleted. A stale cache would say that it is there.
func TestCaches(t *testing.T) {
	driver := folder(t)
	a, b := serve(t, driver, "a", quick, Options{}), serve(t, driver, "b", quick, Options{})
	for round := range 3 {
		d := a.Push(t, "app", "1", registrytest.Layer(1, 100))
		a.Pulled(t)
		b.Pulled(t)
		a.Delete(t, "app", d.String())
		if report := a.collect(t, Request{}); report.Blobs.Deleted != 3 {
			t.Fatalf("round %d: %s", round, report)
		}
		// What b knew before may count for this long, but no longer.
		time.Sleep(quick.Fresh)
		for _, each := range []*rig{a, b} {
			if status := head(t, each.URL+"/v2/app/blobs/"+digest.FromBytes(registrytest.Layer(1, 100)).String()); status != http.StatusNotFound {
				t.Errorf("round %d: a deleted blob has %d", round, status)
			}
		}
	}
	b.Push(t, "app", "1", registrytest.Layer(1, 100))
	a.Pulled(t)
}

// TestUploadUnderWay is left whole by a collection, even in a repository that has nothing else.
func TestUploadUnderWay(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
	finish := r.HalfUpload(t, "only/an/upload")
	d := r.Push(t, "only/an/upload", "1", registrytest.Layer(2, 100))
	r.Delete(t, "only/an/upload", d.String())
	r.collect(t, Request{})
	finish()
}

// begin begins a collection and has it make its plan.
func (r *rig) begin(t *testing.T) *run {
	t.Helper()
	hold, ctx, err := r.fence.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hold.Release(ctx) })
	collection := &run{Collector: r.collector, options: r.collector.options, out: testLog{t}, pushed: map[string]bool{}, report: &Report{}, hold: hold}
	if err := collection.plan(ctx); err != nil {
		t.Fatal(err)
	}
	return collection
}

// TestBroughtBack pushes manifests again whose bytes were gone when the collection looked.
func TestBroughtBack(t *testing.T) {
	for _, imageToo := range []bool{false, true} {
		t.Run(fmt.Sprintf("the image too: %t", imageToo), func(t *testing.T) {
			driver := folder(t)
			before := serve(t, driver, "a", quick, Options{})
			image := before.Push(t, "app", "part", registrytest.Layer(1, 100))
			index := before.PushIndex(t, "app", "index", image)
			before.Delete(t, "app", "part")
			lost := []digest.Digest{index}
			if imageToo {
				lost = append(lost, image)
			}
			for _, d := range lost {
				if err := driver.Delete(t.Context(), path.Dir(layout.BlobPath(d))); err != nil {
					t.Fatal(err)
				}
			}
			// This server has nothing cached from the time before.
			r := serve(t, driver, "b", forgetful, Options{DeleteUntagged: true})
			collection := r.begin(t)
			if len(collection.todo.Deletions) == 0 {
				t.Fatal("nothing would be deleted")
			}
			if imageToo {
				r.Push(t, "app", "part", registrytest.Layer(1, 100))
				r.Delete(t, "app", "part")
			}
			if again := r.PushIndex(t, "app", "index", image); again != index {
				t.Fatalf("another index: %s", again)
			}
			if err := collection.sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if lines := r.Pulled(t); len(lines) != 5 {
				t.Errorf("left are %q", lines)
			}
		})
	}
}

// TestSlowManifest has a push begin before a collection and send its manifest after it. What the server knew of
// blobs when the push began does not count.
func TestSlowManifest(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	d := r.Push(t, "app", "1", registrytest.Layer(1, 100))
	r.Pulled(t)
	manifest, err := r.collector.driver.GetContent(t.Context(), layout.BlobPath(d))
	if err != nil {
		t.Fatal(err)
	}
	r.Delete(t, "app", d.String())

	body, rest := io.Pipe()
	begun := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(begun) }})
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, r.URL+"/v2/app/manifests/2", body)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", v1.MediaTypeImageManifest)
	request.Header.Set("Expect", "100-continue")
	status := make(chan int, 1)
	go func() {
		// The server says "continue" when the engine reads the manifest.
		response, err := (&http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}).Do(request)
		if err != nil {
			status <- 0
			return
		}
		response.Body.Close()
		status <- response.StatusCode
	}()
	select {
	case <-begun:
	case got := <-status:
		t.Fatalf("answered before the manifest came: %d", got)
	}
	if report := r.collect(t, Request{}); report.Blobs.Deleted != 3 {
		t.Fatalf("%s", report)
	}
	if _, err := rest.Write(manifest); err != nil {
		t.Fatal(err)
	}
	rest.Close()
	if got := <-status; got != http.StatusBadRequest {
		t.Errorf("a manifest without its blobs: %d", got)
	}
}

// TestCutOff expects the error to say why the collection ended, not how the store put that.
func TestCutOff(t *testing.T) {
	ctx, cutOff := context.WithCancelCause(t.Context())
	spy := registrytest.NewSpy(folder(t))
	r := serve(t, spy, "a", quick, Options{})
	r.Push(t, "app", "1", registrytest.Layer(1, 100))
	reason := errors.New("the right is lost")
	spy.Before = func(_, path string) error {
		if strings.HasPrefix(path, layout.Repositories) {
			cutOff(reason)
			return context.Canceled
		}
		return nil
	}
	if _, err := r.collector.Collect(ctx, Request{}, io.Discard); !errors.Is(err, reason) {
		t.Error(err)
	}
}
