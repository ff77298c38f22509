package server

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestPageKeepsParts keeps parts of what stays, although their own tags go or they are chosen by their digest:
// without its parts, what stays could not be pulled.
func TestPageKeepsParts(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	amd := client.Push(t, "team-a/app", "1-amd64", registrytest.Layer(1, 1000))
	arm := client.Push(t, "team-a/app", "1-arm64", registrytest.Layer(2, 1000))
	inner := client.PushIndex(t, "team-a/app", "", amd)
	client.PushIndex(t, "team-a/app", "1", inner, arm)
	tags := url.Values{"repository": {"team-a/app"}, "tag": {"1-amd64", "1-arm64"}}
	asked := alice.post(t, "/ui/delete", tags)
	asked.contains(t, "Delete 2 tags?", "These images stay, as parts of others", "in 1", "It frees nothing", "not Delete these images too")
	byDigest := url.Values{"repository": {"team-a/app"}, "digest": {inner.String()}}
	if page := alice.post(t, "/ui/delete", byDigest); page.status != http.StatusConflict || !strings.Contains(page.text, "is part of 1,") {
		t.Errorf("by digest: %d: %s", page.status, page.text)
	}
	byDigest.Set("confirmed", "yes")
	byDigest.Set("images", "yes")
	alice.post(t, "/ui/delete", byDigest)
	confirmed := url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "images": {"yes"}, "named": {"1-amd64@" + amd.String(), "1-arm64@" + arm.String()}}
	if page := alice.post(t, "/ui/delete", confirmed); page.location != "/ui/r/team-a/app?deleted=2&onlytags=" {
		t.Errorf("%d, to %s: %s", page.status, page.location, page.text)
	} else {
		alice.get(t, page.location).contains(t, "2 tags were deleted.", "not The space is freed", "not onlytags")
	}
	if lines := strings.Join(client.Pulled(t), "\n"); !strings.Contains(lines, amd.String()) || !strings.Contains(lines, arm.String()) {
		t.Errorf("left are\n%s", lines)
	}
	// They go together with what they are part of.
	alice.post(t, "/ui/delete", url.Values{"repository": {"team-a/app"}, "tag": {"1"}}).contains(t, "with 3 parts")
}

// TestPageDeletesAttached has manifests about an image, about those, and about a platform, with a tag of
// cosign's and without one. What is about something that stays is not among them.
func TestPageDeletesAttached(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	platform := client.Push(t, "team-a/app", "", registrytest.Layer(1, 1000))
	image := client.PushIndex(t, "team-a/app", "1", platform)
	sbom := client.PushAbout(t, "team-a/app", "", image)
	signature := client.PushAbout(t, "team-a/app", "", sbom)
	attestation := client.PushAbout(t, "team-a/app", "", platform)
	companion := client.Push(t, "team-a/app", layout.ReferrersTag(platform)+".sig", registrytest.Layer(2, 50_000))
	kept := client.Push(t, "team-a/app", layout.ReferrersTag(image)+".sbom", registrytest.Layer(3, 10))
	client.Retag(t, "team-a/app", kept.String(), "sbom")
	other := client.Push(t, "team-a/app", "2", registrytest.Layer(4, 10))
	another := client.PushAbout(t, "team-a/app", "", other)

	asked := alice.post(t, "/ui/delete", url.Values{"repository": {"team-a/app"}, "tag": {"1"}})
	asked.contains(t, "with 1 part for their platforms that nothing else needs, and 4 signatures and other things attached to them", "<strong>54 kB")
	byDigest := url.Values{"repository": {"team-a/app"}, "digest": {sbom.String()}}
	alice.post(t, "/ui/delete", byDigest).contains(t, "1 image by digest, with 1 signature or other thing attached", "not frees <strong>0")
	form := asked.confirmed()
	form.Set("images", "yes")
	if page := alice.post(t, "/ui/delete", form); page.location != "/ui/r/team-a/app?deleted=1" {
		t.Errorf("%d, to %s: %s", page.status, page.location, page.text)
	}
	for d, want := range map[digest.Digest]int{
		platform: http.StatusNotFound, image: http.StatusNotFound, sbom: http.StatusNotFound, signature: http.StatusNotFound,
		attestation: http.StatusNotFound, companion: http.StatusNotFound, kept: http.StatusOK, other: http.StatusOK, another: http.StatusOK,
	} {
		if page := alice.get(t, "/ui/r/team-a/app@"+d.String()); page.status != want {
			t.Errorf("%s: %d", d, page.status)
		}
	}
	if tags := client.Tags(t, "team-a/app"); !slices.Equal(tags, []string{"2", "sbom"}) {
		t.Errorf("left are %v", tags)
	}
}

// TestPageDeletesListed deletes signatures of an image that stays, which a client lists in a tag: first one,
// and then the last.
func TestPageDeletesListed(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	image := client.Push(t, "team-a/app", "1", registrytest.Layer(1, 1000))
	first := client.PushAbout(t, "team-a/app", "", image)
	second := client.PushManifest(t, "team-a/app", "", v1.MediaTypeImageIndex, v1.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: []v1.Descriptor{}, Subject: &v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: image, Size: 1},
	})
	tag := layout.ReferrersTag(image)
	client.PushIndex(t, "team-a/app", tag, first, second)
	for i, d := range []digest.Digest{first, second} {
		asked := alice.post(t, "/ui/delete", url.Values{"repository": {"team-a/app"}, "digest": {d.String()}})
		asked.contains(t, "1 image by digest")
		form := asked.confirmed()
		form.Set("images", "yes")
		if page := alice.post(t, "/ui/delete", form); page.status != http.StatusSeeOther {
			t.Errorf("%d: %s", page.status, page.text)
		}
		want := []string{"1", tag}[:2-i]
		if tags := client.Tags(t, "team-a/app"); !slices.Equal(tags, want) {
			t.Errorf("left are %v", tags)
		}
		if left := client.Referrers(t, "team-a/app", image, ""); len(left) != 1-i {
			t.Errorf("listed are %v", left)
		}
	}
	// What somebody put together for another reason stays whole.
	third := client.PushAbout(t, "team-a/app", "", image)
	client.PushIndex(t, "team-a/app", "release", third)
	if page := alice.post(t, "/ui/delete", url.Values{"repository": {"team-a/app"}, "digest": {third.String()}}); page.status != http.StatusConflict {
		t.Errorf("part of another: %d", page.status)
	}
}

// TestPageAfterLastTag deletes the last tag of a repository that was not counted yet.
func TestPageAfterLastTag(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, carol := b.as(t, "alice"), b.as(t, "carol")
	for _, query := range []string{"deleted=1", "deleted=1&onlytags="} {
		page := alice.get(t, "/ui/r/team-a/app?"+query)
		if page.status != http.StatusOK {
			t.Errorf("%s: %d", query, page.status)
		}
		page.contains(t, "There are no tags")
	}
	if page := carol.get(t, "/ui/r/team-a/app?deleted=1"); page.status != http.StatusNotFound {
		t.Errorf("for who deletes nothing: %d", page.status)
	}
	if page := alice.get(t, "/ui/r/team-a/app"); page.status != http.StatusNotFound {
		t.Errorf("without a deletion: %d", page.status)
	}
}

// TestPageOfLongFolders checks that a long folder costs no more than others: each folder above it has a link.
func TestPageOfLongFolders(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice := b.as(t, "alice")
	for _, folder := range []string{strings.Repeat("a/", 10_000) + "b", "a//b", "Team", "../.."} {
		if page := alice.get(t, "/ui/?"+url.Values{"q": {"x"}, "folder": {folder}}.Encode()); page.status != http.StatusNotFound || len(page.text) > 100_000 {
			t.Errorf("%.20s: %d, %d bytes", folder, page.status, len(page.text))
		}
	}
}
