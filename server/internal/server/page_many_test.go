package server

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// confirmed is the form of the question before a deletion, as a browser sends it.
func (a answer) confirmed() url.Values {
	form := url.Values{}
	for _, each := range hidden.FindAllStringSubmatch(a.text, -1) {
		form.Add(each[1], html.UnescapeString(each[2]))
	}
	return form
}

// TestPageDeletesByDigest chooses images by their digest, although they have tags.
func TestPageDeletesByDigest(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	chosen := func(digests ...digest.Digest) url.Values {
		form := url.Values{"repository": {"team-a/app"}}
		for _, d := range digests {
			form.Add("digest", d.String())
		}
		return form
	}
	gone := func(digests ...digest.Digest) {
		t.Helper()
		for _, d := range digests {
			if page := alice.get(t, "/ui/r/team-a/app@"+d.String()); page.status != http.StatusNotFound {
				t.Errorf("%s is still there: %d", d, page.status)
			}
		}
	}
	lost, found := client.Push(t, "team-a/app", "", registrytest.Layer(1, 10)), client.Push(t, "team-a/app", "", registrytest.Layer(2, 10))
	client.Retag(t, "team-a/app", found.String(), "late")
	asked := alice.post(t, "/ui/delete", chosen(lost, found))
	asked.contains(t, "Delete 2 images?", "These tags go", "late", "not checkbox")
	if page := alice.post(t, "/ui/delete", asked.confirmed()); page.status != http.StatusSeeOther {
		t.Errorf("%d: %s", page.status, page.text)
	}
	gone(lost, found)

	// Another image is made from it between the question and the answer.
	part := client.Push(t, "team-a/app", "", registrytest.Layer(3, 10))
	asked = alice.post(t, "/ui/delete", chosen(part))
	index := client.PushIndex(t, "team-a/app", "", part)
	page := alice.post(t, "/ui/delete", asked.confirmed())
	if page.status != http.StatusConflict {
		t.Errorf("a part: %d", page.status)
	}
	page.contains(t, "part of "+index.String())
	alice.post(t, "/ui/delete", chosen(part)).contains(t, "What was chosen is part of "+index.String())
	if page := alice.get(t, "/ui/r/team-a/app@"+part.String()); page.status != http.StatusOK {
		t.Errorf("what is part of another one: %d", page.status)
	}

	many := client.Push(t, "team-a/app", "0", registrytest.Layer(4, 10))
	for i := range 100 {
		client.Retag(t, "team-a/app", "0", fmt.Sprint(i+1))
	}
	page = alice.post(t, "/ui/delete", chosen(many))
	if page.status != http.StatusConflict {
		t.Errorf("one with 101 tags: %d", page.status)
	}
	page.contains(t, "has 101 tags", "No more than 100")
	form := url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "images": {"yes"}}
	for i := range 101 {
		form.Add("named", fmt.Sprintf("%d@%s", i, many))
	}
	if page := alice.post(t, "/ui/delete", form); page.status != http.StatusBadRequest {
		t.Errorf("101 tags: %d", page.status)
	}
	if tags := client.Tags(t, "team-a/app"); len(tags) != 101 {
		t.Errorf("%d tags are left", len(tags))
	}
	client.Delete(t, "team-a/app", "7")
	if page := alice.post(t, "/ui/delete", alice.post(t, "/ui/delete", chosen(many)).confirmed()); page.location != "/ui/r/team-a/app?deleted=100" {
		t.Errorf("one with 100 tags: %d, to %s", page.status, page.location)
	}
	gone(many)
}

// TestPageOfMany has more entries in an index, and more things about one image, than are looked at.
func TestPageOfMany(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	layer := registrytest.Layer(1, 1000)
	m := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: v1.DescriptorEmptyJSON, Layers: []v1.Descriptor{{MediaType: v1.MediaTypeImageLayer, Digest: digest.FromBytes(layer), Size: 1000}}}
	m.SchemaVersion = 2
	client.PushBlob(t, "team-a/app", m.Layers[0].Digest, layer)
	client.PushBlob(t, "team-a/app", m.Config.Digest, m.Config.Data)
	push := func(i int) digest.Digest {
		m.Annotations = map[string]string{"n": fmt.Sprint(i)}
		return client.PushManifest(t, "team-a/app", "", m.MediaType, m)
	}
	var parts []digest.Digest
	for i := range 70 {
		parts = append(parts, push(i))
	}
	client.PushIndex(t, "team-a/app", "large", parts...)
	alice.get(t, "/ui/r/team-a/app:large").contains(t, "for 64 platforms or more", "and 6 more entries of the index", "<dd>at least ")
	alice.get(t, "/ui/r/team-a/app").contains(t, "and 6 more</span>", `<td class="number">at least `)
	client.PushIndex(t, "team-a/app", "small", parts[:2]...)
	alice.get(t, "/ui/r/team-a/app:small").contains(t, "for 2 platforms<", "not more entries", "not at least ")

	subject := client.Push(t, "team-a/app", "signed", layer)
	m.Subject = &v1.Descriptor{MediaType: m.MediaType, Digest: subject, Size: 1}
	for i := range 51 {
		push(i)
	}
	alice.post(t, "/ui/delete", url.Values{"repository": {"team-a/app"}, "tag": {"signed"}}).contains(t, "with 51 signatures and other things attached")
}

// TestPageOfManyLeaving has more tags that leave than the clean-up names, and expects each to be marked.
func TestPageOfManyLeaving(t *testing.T) {
	config := pageConfig(t)
	config.Storage["maintenance"] = configuration.Parameters{"garbagecollection": map[any]any{"retention": map[any]any{"rules": []any{map[any]any{"keepnewest": 3}}}}}
	b := browse(t, config, people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	client.Push(t, "team-a/app", "0", registrytest.Layer(1, 10))
	for i := range 260 {
		client.Retag(t, "team-a/app", "0", fmt.Sprint(i))
	}
	alice.post(t, "/ui/preview", nil)
	poll.Until(t, "the preview", func() bool { return strings.Contains(alice.get(t, "/ui/cleanup").text, "These are some of 257.") })
	for _, sort := range []string{"name", "pushed"} {
		for page, want := range map[int]int{1: 97, 2: 100, 3: 60} {
			list := alice.get(t, fmt.Sprintf("/ui/r/team-a/app?sort=%s&page=%d", sort, page))
			if got := strings.Count(list.text, `title="By rule 1 (keep newest 3)`); got != want {
				t.Errorf("page %d by %s: %d, want %d", page, sort, got, want)
			}
		}
	}
}

// TestPageDeletesOfMany has more manifests than are looked at. Any of the others may need what goes.
func TestPageDeletesOfMany(t *testing.T) {
	config := pageConfig(t)
	b := browse(t, config, people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	part := client.Push(t, "team-a/app", "", registrytest.Layer(1, 10))
	whole := client.PushIndex(t, "team-a/app", "latest", part)
	for i := range 1000 {
		d := digest.FromString(fmt.Sprint(i))
		link := filepath.Join(config.Storage["filesystem"]["rootdirectory"].(string), layout.RevisionPath("team-a/app", d))
		if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(link, []byte(d), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	page := alice.post(t, "/ui/delete", url.Values{"repository": {"team-a/app"}, "digest": {part.String()}})
	if page.status != http.StatusConflict {
		t.Errorf("a part: %d", page.status)
	}
	page.contains(t, "too many manifests")
	asked := alice.post(t, "/ui/delete", url.Values{"repository": {"team-a/app"}, "tag": {"latest"}})
	asked.contains(t, `name="images" value="yes"><span>Delete these images too, not only their tags</span>`, "could not be pulled any more", "attached to them goes with a collection that deletes untagged manifests", "not It frees")
	form := asked.confirmed()
	form.Set("images", "yes")
	if page := alice.post(t, "/ui/delete", form); page.location != "/ui/r/team-a/app?deleted=1" {
		t.Errorf("%d, to %s", page.status, page.location)
	}
	for d, want := range map[digest.Digest]int{whole: http.StatusNotFound, part: http.StatusOK} {
		if page := alice.get(t, "/ui/r/team-a/app@"+d.String()); page.status != want {
			t.Errorf("%s: %d", d, page.status)
		}
	}
	if tags := client.Tags(t, "team-a/app"); len(tags) > 0 {
		t.Errorf("left are %v", tags)
	}
}
