package transfer

import (
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestDamagedBlobs changes a byte of a blob in the source. Everything is copied except the images that use it,
// and those are named.
func TestDamagedBlobs(t *testing.T) {
	for name, test := range map[string]struct {
		layer []byte
		// withheld are the tags that lead to the layer.
		withheld []string
	}{
		"small, below an index": {registrytest.Layer(5, 100), []string{"team/app/tools:amd64", "team/app/tools:multi"}},
		"large":                 {registrytest.Layer(2, 3<<20), []string{"team/app:1.0"}},
		"shared by all": {registrytest.Layer(1, 2000), []string{
			"hello-world:latest", "team/app/tools:amd64", "team/app/tools:arm64", "team/app/tools:multi", "team/app:1.0", "team/app:latest",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			from, want := filled(t)
			d := digest.FromBytes(test.layer)
			broken := slices.Clone(test.layer)
			broken[len(broken)/2] ^= 1
			if err := from.PutContent(t.Context(), layout.BlobPath(d), broken); err != nil {
				t.Fatal(err)
			}
			// This tag must not get in the way of the search for what is affected.
			if err := from.PutContent(t.Context(), (&tag{repository: "hello-world", name: "empty"}).currentPath(), nil); err != nil {
				t.Fatal(err)
			}
			to := inmemory.New()
			report, err := between(t, from, to, Options{})
			if err == nil || report == nil {
				t.Fatal("nothing was said")
			}
			lines := []string{"blob " + d.String() + ": it is damaged in the source, its bytes have another digest; delete the images that use it, collect garbage, and push them again"}
			for _, tag := range test.withheld {
				lines = append(lines, "tag "+tag+": left out, as parts of its image could not be copied")
			}
			if want := "not everything was copied; run it again when this is put right:\n  " + strings.Join(lines, "\n  "); err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
			if _, err := to.Stat(t.Context(), layout.BlobPath(d)); !layout.IsMissing(err) {
				t.Errorf("the damaged blob is on the target: %v", err)
			}
			if _, err := to.List(t.Context(), stagingRoot); !layout.IsMissing(err) {
				t.Errorf("%s: %v", stagingRoot, err)
			}
			want = slices.DeleteFunc(want, func(line string) bool {
				return slices.ContainsFunc(test.withheld, func(tag string) bool { return strings.HasPrefix(line, tag+" ") })
			})
			got := pulled(t, to)
			for _, line := range want {
				if tag, _, _ := strings.Cut(line, " "); !strings.Contains(tag, "@") && !slices.Contains(got, line) {
					t.Errorf("%s is missing", line)
				}
			}

			if err := from.Delete(t.Context(), layout.RepositoryPath("hello-world", layout.Tags, "empty")); err != nil {
				t.Fatal(err)
			}

			// Once that is put right, the next run does the rest.
			if err := from.PutContent(t.Context(), layout.BlobPath(d), test.layer); err != nil {
				t.Fatal(err)
			}
			if _, err := between(t, from, to, Options{}); err != nil {
				t.Fatal(err)
			}
			if got, want := pulled(t, to), pulled(t, from); !slices.Equal(got, want) {
				t.Errorf("after the second run:\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// TestDamagedBlobOfAnotherName has a layer that its image names by a sha512 digest.
func TestDamagedBlobOfAnotherName(t *testing.T) {
	from, to := inmemory.New(), inmemory.New()
	source := registrytest.Serve(t, registrytest.Config(t, from))
	layer := registrytest.Layer(1, 100)
	d := digest.SHA512.FromBytes(layer)
	source.PushBlob(t, "app", d, layer)
	source.PushBlob(t, "app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	m := v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest, Config: v1.DescriptorEmptyJSON}
	m.Layers = []v1.Descriptor{{MediaType: v1.MediaTypeImageLayer, Digest: d, Size: int64(len(layer))}}
	source.PushManifest(t, "app", "latest", m.MediaType, m)
	if err := from.PutContent(t.Context(), layout.BlobPath(digest.FromBytes(layer)), registrytest.Layer(2, 100)); err != nil {
		t.Fatal(err)
	}
	_, err := between(t, from, to, Options{})
	if err == nil || !strings.Contains(err.Error(), "tag app:latest: left out, as parts of its image could not be copied") {
		t.Errorf("said was %v", err)
	}
	if tags := registrytest.Serve(t, registrytest.Config(t, to)).Tags(t, "app"); len(tags) > 0 {
		t.Errorf("the target shows %q", tags)
	}
}

func TestReplacesABlobThatWasCutShort(t *testing.T) {
	for name, layer := range map[string][]byte{"small": registrytest.Layer(1, 2000), "large": registrytest.Layer(2, 3<<20)} {
		t.Run(name, func(t *testing.T) {
			from, want := filled(t)
			to := inmemory.New()
			if err := to.PutContent(t.Context(), layout.BlobPath(digest.FromBytes(layer)), layer[:len(layer)-1]); err != nil {
				t.Fatal(err)
			}
			if _, err := between(t, from, to, Options{}); err != nil {
				t.Fatal(err)
			}
			if got := pulled(t, to); !slices.Equal(got, want) {
				t.Errorf("got\n%s", strings.Join(got, "\n"))
			}
		})
	}
}

// TestLeavesOutWhatNamesNothing has what older garbage collections leave behind, deletions in a
// folder, and pushes that were cut off.
func TestLeavesOutWhatNamesNothing(t *testing.T) {
	from, want := filled(t)
	missing := digest.FromString("collected")
	for _, path := range []string{
		layout.LinkPath(layout.RepositoryPath("hello-world", layout.Layers), missing),
		layout.LinkPath(layout.RepositoryPath("hello-world", layout.Revisions), missing),
		layout.RepositoryPath("hello-world", layout.Tags, "gone", "current", "link"),
	} {
		if err := from.PutContent(t.Context(), path, []byte(missing)); err != nil {
			t.Fatal(err)
		}
	}
	if err := from.PutContent(t.Context(), layout.RepositoryPath("hello-world", layout.Tags, "empty", "current", "link"), nil); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{layout.Layers, layout.Tags + "/begun/index"} {
		path := layout.LinkPath(layout.RepositoryPath("hello-world", folder), digest.FromString("deleted"))
		if err := from.PutContent(t.Context(), path+".tmp", nil); err != nil {
			t.Fatal(err)
		}
	}
	to := inmemory.New()
	report, err := between(t, from, to, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := pulled(t, to); !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	for _, line := range []string{
		", left out 2 that name nothing, listed but not there 1\n",
		"  tags   6, there already 0, listed but not there 1\n",
		"  tag hello-world:gone was left out: the source does not have the manifest it names\n",
		"  tag hello-world:empty was left out: the source does not have the manifest it names\n",
	} {
		if !strings.Contains(report.String(), line) {
			t.Errorf("%q is not in\n%s", line, report)
		}
	}
}

// TestDamagedLayerOfAnOddManifest has a field that the engine ignores be of another type than it should be.
func TestDamagedLayerOfAnOddManifest(t *testing.T) {
	driver := inmemory.New()
	client := registrytest.Serve(t, registrytest.Config(t, driver))
	layer := registrytest.Layer(1, 100)
	config, damaged := []byte("{}"), digest.FromBytes(layer)
	client.PushBlob(t, "app", digest.FromBytes(config), config)
	client.PushBlob(t, "app", damaged, layer)
	client.PushManifest(t, "app", "odd", v1.MediaTypeImageManifest, map[string]any{
		"schemaVersion": 2,
		"mediaType":     v1.MediaTypeImageManifest,
		"config":        v1.Descriptor{MediaType: v1.MediaTypeImageConfig, Digest: digest.FromBytes(config), Size: 2},
		"layers":        []v1.Descriptor{{MediaType: v1.MediaTypeImageLayer, Digest: damaged, Size: int64(len(layer))}},
		"blobs":         1,
	})
	if err := driver.PutContent(t.Context(), layout.BlobPath(damaged), layer[1:]); err != nil {
		t.Fatal(err)
	}
	to := inmemory.New()
	if _, err := between(t, driver, to, Options{}); err == nil || !strings.Contains(err.Error(), "tag app:odd: left out") {
		t.Errorf("%v", err)
	}
	if got := pulled(t, to); len(got) > 0 {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

// TestDamagedLayerOfDeepLists has 2^40 ways from the tag down.
func TestDamagedLayerOfDeepLists(t *testing.T) {
	driver := inmemory.New()
	client := registrytest.Serve(t, registrytest.Config(t, driver))
	layer := registrytest.Layer(1, 100)
	client.Push(t, "other", "damaged", layer)
	below := client.Push(t, "app", "below", registrytest.Layer(2, 100))
	for range 40 {
		below = client.PushIndex(t, "app", "list", below, below)
	}
	if err := driver.PutContent(t.Context(), layout.BlobPath(digest.FromBytes(layer)), layer[1:]); err != nil {
		t.Fatal(err)
	}
	to := inmemory.New()
	if _, err := between(t, driver, to, Options{}); err == nil || strings.Contains(err.Error(), "app:") || !strings.Contains(err.Error(), "tag other:damaged: left out") {
		t.Errorf("%v", err)
	}
}
