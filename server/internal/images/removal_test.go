package images

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/turns"
)

// TestRemove has images that are parts of others, with a tag and without one.
func TestRemove(t *testing.T) {
	driver := inmemory.New()
	is := map[string]digest.Digest{}
	names := func(digests []digest.Digest) string {
		var found []string
		for name, d := range is {
			if slices.Contains(digests, d) {
				found = append(found, name)
			}
		}
		slices.Sort(found)
		return strings.Join(found, " ")
	}
	config := digest.FromString("config")
	for _, name := range []string{"x", "y", "z", "q"} {
		is[name] = put(t, driver, image(config, blob(name, 1000)))
	}
	put(t, driver, image(config, blob("q", 1000)), "amd64")
	is["xy"] = put(t, driver, index(is["x"], is["y"]), "latest")
	is["xz"] = put(t, driver, index(is["x"], is["z"]))
	is["qz"] = put(t, driver, index(is["q"], is["z"]))
	is["of xy"] = put(t, driver, index(is["xy"]), "lists")
	for _, test := range []struct {
		name                    string
		tags, digests           []string
		untagged, parts, needed string
		in                      string
	}{
		{"a tag, of whose image one without a tag has a part", []string{"latest", "lists"}, nil, "of xy xy", "y", "", ""},
		{"a tag, whose image is part of another one", []string{"latest"}, nil, "", "", "xy", "lists"},
		{"a tag, whose image is part of one without a tag", []string{"amd64"}, nil, "", "", "q", "qz"},
		{"one without a tag, of which another one has a part", nil, []string{"qz"}, "qz", "", "", ""},
		{"both of them", nil, []string{"qz", "xz"}, "qz xz", "z", "", ""},
		{"a part of one without a tag", nil, []string{"z"}, "", "", "z", "qz xz"},
		{"a part with all that it is part of", nil, []string{"z", "qz", "xz"}, "qz xz z", "", "", ""},
		{"a part of a part", nil, []string{"y"}, "", "", "y", "latest"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var digests []digest.Digest
			for _, each := range test.digests {
				digests = append(digests, is[each])
			}
			removal, err := NewReader(driver, turns.New(0)).Remove(t.Context(), "team/app", test.tags, digests)
			if err != nil || removal.Unsure {
				t.Fatalf("%+v, %v", removal, err)
			}
			var needed, in []digest.Digest
			var tags []string
			for _, each := range removal.Needed {
				needed = append(needed, each.Digest)
				for _, other := range each.Others {
					if d := digest.Digest(other); d.Validate() == nil {
						in = append(in, d)
					} else {
						tags = append(tags, other)
					}
				}
			}
			others := strings.TrimSpace(strings.Join(tags, " ") + " " + names(in))
			if got := []string{names(removal.Untagged), names(removal.Parts), names(needed), others}; !slices.Equal(got, []string{test.untagged, test.parts, test.needed, test.in}) {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestRemoveKeepsAttached keeps what is about a platform that another image has too, and a signature with two
// tags.
func TestRemoveKeepsAttached(t *testing.T) {
	driver := inmemory.New()
	about := func(subject digest.Digest, name string) string {
		return strings.Replace(image("", blob(name, 1)), "{", fmt.Sprintf(`{"subject":{"digest":%q},`, subject), 1)
	}
	shared := put(t, driver, image("", blob("shared", 1)))
	first, second := put(t, driver, index(shared), "1"), put(t, driver, index(shared, shared), "2")
	attestation := put(t, driver, about(shared, "att"), layout.ReferrersTag(shared)+".att")
	signed := put(t, driver, about(attestation, "signed"))
	put(t, driver, image("", blob("signature", 1)), layout.ReferrersTag(first)+".sig", layout.ReferrersTag(second)+".sig")
	reader := NewReader(driver, turns.New(0))
	for _, test := range []struct {
		tags, companions []string
		attached         int
	}{
		{[]string{"1"}, []string{layout.ReferrersTag(first) + ".sig"}, 0},
		{[]string{"1", "2"}, []string{layout.ReferrersTag(first) + ".sig", layout.ReferrersTag(second) + ".sig", layout.ReferrersTag(shared) + ".att"}, 3},
	} {
		removal, err := reader.Remove(t.Context(), "team/app", test.tags, nil)
		slices.Sort(test.companions)
		if err != nil || !slices.Equal(removal.Companions, test.companions) || len(removal.Attached) != test.attached {
			t.Errorf("%q: %+v, %v", test.tags, removal, err)
		}
		if slices.Contains(removal.Attached, signed) != (test.attached > 0) {
			t.Errorf("%q: what is about an attestation goes: %v", test.tags, removal.Attached)
		}
	}
}

// TestRemoveOfMany has more manifests than are looked at: any of them may have what goes as a part.
func TestRemoveOfMany(t *testing.T) {
	driver := inmemory.New()
	part, lost := put(t, driver, image("", blob("part", 1))), put(t, driver, image("", blob("lost", 1)))
	tagged := put(t, driver, index(part), "latest")
	own := put(t, driver, image("", blob("own", 1)), "amd64")
	for i := range manyManifests {
		put(t, driver, fmt.Sprintf(`{"n":%d}`, i))
	}
	reader := NewReader(driver, turns.New(0))
	removal, err := reader.Remove(t.Context(), "team/app", []string{"latest"}, []digest.Digest{part, lost, own})
	if err != nil || !removal.Unsure || len(removal.Tags) != 2 || len(removal.Parts) > 0 || removal.Frees != 0 {
		t.Fatalf("%+v, %v", removal, err)
	}
	if !slices.Equal(removal.Untagged, []digest.Digest{tagged, own}) && !slices.Equal(removal.Untagged, []digest.Digest{own, tagged}) {
		t.Errorf("%v go", removal.Untagged)
	}
	if len(removal.Needed) != 2 || removal.Needed[0].Digest != part || removal.Needed[1].Digest != lost || removal.Needed[0].Others != nil {
		t.Errorf("%v stay", removal.Needed)
	}
}

// TestRemoveAfterMany has a repository that had more manifests before: each of them has left its folder.
func TestRemoveAfterMany(t *testing.T) {
	root := t.TempDir()
	driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100})
	lost := put(t, driver, image("", blob("lost", 1)))
	for i := range manyManifests {
		link := layout.RevisionPath("team/app", digest.FromString(fmt.Sprint(i)))
		if err := os.MkdirAll(filepath.Join(root, filepath.Dir(link)), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	removal, err := NewReader(driver, turns.New(0)).Remove(t.Context(), "team/app", nil, []digest.Digest{lost})
	if err != nil || removal.Unsure || !slices.Equal(removal.Untagged, []digest.Digest{lost}) {
		t.Errorf("%+v, %v", removal, err)
	}
}

// TestRemoveOfLongList has an index that goes on beyond what is read.
func TestRemoveOfLongList(t *testing.T) {
	driver := inmemory.New()
	lost := put(t, driver, image("", blob("lost", 1)))
	var parts []digest.Digest
	for i := range most + 1 {
		parts = append(parts, digest.FromString(fmt.Sprint(i)))
	}
	long := put(t, driver, index(parts...))
	reader := NewReader(driver, turns.New(0))
	if removal, err := reader.Remove(t.Context(), "team/app", nil, []digest.Digest{lost}); err != nil || !removal.Unsure || len(removal.Untagged) > 0 {
		t.Errorf("%+v, %v", removal, err)
	}
	if removal, err := reader.Remove(t.Context(), "team/app", nil, []digest.Digest{lost, long}); err != nil || removal.Unsure || len(removal.Untagged) != 2 || removal.Frees == 0 {
		t.Errorf("with it: %+v, %v", removal, err)
	}
}
