package garbage

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/garbage/retention"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestIndexThatComesLater is pushed after its images were pushed by digest, as builders for several platforms
// do it. A collection comes in between.
func TestIndexThatComesLater(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
	amd64 := r.Push(t, "app", "", registrytest.Layer(1, 100))
	arm64 := r.Push(t, "app", "", registrytest.Layer(2, 100))
	nested := r.PushIndex(t, "app", "", amd64, arm64)
	if report := r.collect(t, Request{}); report.Blobs.Deleted != 0 {
		t.Errorf("%s", report)
	}
	r.PushIndex(t, "app", "1.0", nested)
	if lines := r.Pulled(t); len(lines) != 8 {
		t.Errorf("left are %q", lines)
	}
}

// TestManifestThatIsCountedOn has a manifest that the rules freed. A client asks for it, is told that it is
// there, and pushes an index of it without a look at its layers.
func TestManifestThatIsCountedOn(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{Retention: retention.Policy{Rules: []retention.Rule{{KeepNewest: 1}}}})
	image := r.Push(t, "app", "part", registrytest.Layer(1, 100))
	r.PushIndex(t, "app", "1", image)
	r.Delete(t, "app", "part")
	r.Push(t, "app", "2", registrytest.Layer(2, 100))
	// By now the server has forgotten what clients were told.
	r = serve(t, r.collector.driver, "b", quick, r.collector.options)
	if status := r.head(t, "app@"+image.String()); status != http.StatusOK {
		t.Fatal(status)
	}
	if report := r.collect(t, Request{}); report.Manifests.Deleted != 1 {
		t.Errorf("%s", report)
	}
	r.PushIndex(t, "app", "3", image)
	r.Pulled(t)
}

func sum512(content []byte) digest.Digest {
	sum := sha512.Sum512(content)
	return digest.NewDigestFromEncoded(digest.SHA512, hex.EncodeToString(sum[:]))
}

// pushImage pushes an image whose only layer has that digest.
func (r *rig) pushImage(t *testing.T, repository, tag string, layer digest.Digest, size int) digest.Digest {
	t.Helper()
	r.PushBlob(t, repository, v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	return r.PushManifest(t, repository, tag, v1.MediaTypeImageManifest, v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageManifest,
		Config:    v1.DescriptorEmptyJSON,
		Layers:    []v1.Descriptor{{MediaType: v1.MediaTypeImageLayer, Digest: layer, Size: int64(size)}},
	})
}

// TestOtherAlgorithm has layers named by another digest than the one by which the engine keeps their bytes.
func TestOtherAlgorithm(t *testing.T) {
	content := registrytest.Layer(1, 100)
	t.Run("a tagged image", func(t *testing.T) {
		r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
		r.PushBlob(t, "app", sum512(content), content)
		d := r.pushImage(t, "app", "1", sum512(content), len(content))
		if report := r.collect(t, Request{}); report.Blobs.Deleted != 0 {
			t.Errorf("%s", report)
		}
		r.Pulled(t)
		r.Delete(t, "app", d.String())
		r = serve(t, r.collector.driver, "b", quick, Options{})
		if report := r.collect(t, Request{}); report.Blobs.Deleted != 3 {
			t.Errorf("not all of it went: %s", report)
		}
	})
	t.Run("a layer that a client counts on", func(t *testing.T) {
		r := serve(t, folder(t), "a", quick, Options{})
		r.PushBlob(t, "app", sum512(content), content)
		r = serve(t, r.collector.driver, "b", quick, Options{})
		if status := head(t, r.URL+"/v2/app/blobs/"+sum512(content).String()); status != http.StatusOK {
			t.Fatal(status)
		}
		r.collect(t, Request{})
		r.pushImage(t, "app", "1", sum512(content), len(content))
		r.Pulled(t)
	})
	t.Run("mounted from another repository", func(t *testing.T) {
		r := serve(t, folder(t), "a", quick, Options{})
		r.PushBlob(t, "other", sum512(content), content)
		// A client that is not told that it is mounted uploads it.
		if status := r.Status(t, http.MethodPost, "/v2/app/blobs/uploads/?from=other&mount="+sum512(content).String()); status != http.StatusAccepted {
			t.Error(status)
		}
	})
	t.Run("deleted by the digest that the bytes are kept by", func(t *testing.T) {
		r := serve(t, folder(t), "a", quick, Options{})
		blob := "/v2/app/blobs/" + sum512(content).String()
		r.pushBy512(t, "app", "other", 2)
		r.PushBlob(t, "app", sum512(content), content)
		// The cache knows it from then on.
		if status := head(t, r.URL+blob); status != http.StatusOK {
			t.Fatal(status)
		}
		r.DeletePath(t, "/v2/app/blobs/"+digest.FromBytes(content).String())
		for _, method := range []string{http.MethodHead, http.MethodGet} {
			if status := r.Status(t, method, blob); status != http.StatusNotFound {
				t.Errorf("%s: %d", method, status)
			}
		}
		for _, size := range []int{len(content), len(content) + 1} {
			image := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":2},"layers":[{"mediaType":%q,"digest":%q,"size":%d}]}`,
				v1.MediaTypeImageManifest, v1.MediaTypeEmptyJSON, v1.DescriptorEmptyJSON.Digest, v1.MediaTypeImageLayer, sum512(content), size)
			if status, text := r.tryManifest(t, "app", "1", image); status != http.StatusBadRequest || !strings.Contains(text, "MANIFEST_BLOB_UNKNOWN") {
				t.Errorf("%d: %s", status, text)
			}
		}
		r.PushBlob(t, "app", sum512(content), content)
		r.pushImage(t, "app", "1", sum512(content), len(content))
		r.Pulled(t)
	})
	t.Run("pushed while a collection works", func(t *testing.T) {
		r := serve(t, folder(t), "a", forgetful, Options{})
		r.Delete(t, "app", r.Push(t, "app", "1", content).String())
		collection := r.begin(t)
		r.PushBlob(t, "app", sum512(content), content)
		r.pushImage(t, "app", "2", sum512(content), len(content))
		if err := collection.sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.Pulled(t)
	})
}

// put writes a file beside the registry.
func (r *rig) put(t *testing.T, path, content string) {
	t.Helper()
	if err := r.collector.driver.PutContent(t.Context(), path, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedTag has a tag as a full disk or a power cut leaves it. It is not known what the tag names,
// so all that it ever named stays.
func TestDamagedTag(t *testing.T) {
	for _, content := range []string{"", "sha256:0123"} {
		t.Run(fmt.Sprintf("%q", content), func(t *testing.T) {
			r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true, Retention: retention.Policy{Rules: []retention.Rule{{KeepNewest: 1}}}})
			d := r.Push(t, "app", "1", registrytest.Layer(1, 100))
			r.Push(t, "other", "1", registrytest.Layer(2, 100))
			other := r.Push(t, "app", "2", registrytest.Layer(3, 100))
			r.put(t, layout.TagPath("app", "1"), content)
			r = serve(t, r.collector.driver, "b", quick, r.collector.options)
			var out bytes.Buffer
			report, err := r.collector.Collect(t.Context(), Request{}, &out)
			if err != nil || report.Blobs.Deleted != 0 || report.RepositoriesDeleted != 0 {
				t.Errorf("%v: %s", err, report)
			}
			if !strings.Contains(out.String(), "tag app:1 is damaged") {
				t.Errorf("it was not told: %s", &out)
			}
			if status := r.head(t, "app:1"); status != http.StatusNotFound {
				t.Errorf("the damaged tag has %d", status)
			}
			r.Delete(t, "app", other.String())
			r.put(t, layout.TagPath("app", "1"), d.String())
			r.Pulled(t)
			r.put(t, layout.TagPath("app", "1"), content)
			r.Delete(t, "app", "1")
			if tags := r.Tags(t, "app"); len(tags) != 0 {
				t.Errorf("left are %q", tags)
			}
		})
	}
}

// TestDanglingTag names a manifest that is not there. The tag is reported, and keeps nothing else
// from being collected.
func TestDanglingTag(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
	d := r.Push(t, "app", "1", registrytest.Layer(1, 100))
	r.Push(t, "app", "2", registrytest.Layer(2, 100))
	r.Push(t, "app", "2", registrytest.Layer(3, 100))
	if err := r.collector.driver.Delete(t.Context(), layout.LinkPath(layout.RepositoryPath("app", layout.Revisions), d)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	report, err := r.collector.Collect(t.Context(), Request{}, &out)
	if err != nil || report.Manifests.Deleted != 1 {
		t.Errorf("%v: %s", err, report)
	}
	if want := "tag app:1 names " + d.String() + ", which is not there"; !strings.Contains(out.String(), want) {
		t.Errorf("it was not told: %s", &out)
	}
}

// TestRetentionBesideBrokenTags has a newest tag that nobody can pull. It stays, and does not take the place of
// one that can be pulled.
func TestRetentionBesideBrokenTags(t *testing.T) {
	for name, damage := range map[string]func(*testing.T, *rig, digest.Digest) error{
		"not linked": func(t *testing.T, r *rig, d digest.Digest) error {
			return r.collector.driver.Delete(t.Context(), layout.RevisionPath("app", d))
		},
		"gone": func(t *testing.T, r *rig, d digest.Digest) error {
			return r.collector.driver.Delete(t.Context(), layout.BlobPath(d))
		},
		"damaged": func(t *testing.T, r *rig, d digest.Digest) error {
			return r.collector.driver.PutContent(t.Context(), layout.BlobPath(d), []byte("{}"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t, folder(t), "a", quick, Options{Retention: retention.Policy{Rules: []retention.Rule{{KeepNewest: 1}}}})
			r.Push(t, "app", "1", registrytest.Layer(1, 100))
			if err := damage(t, r, r.Push(t, "app", "2", registrytest.Layer(2, 100))); err != nil {
				t.Fatal(err)
			}
			r = serve(t, r.collector.driver, "b", quick, r.collector.options)
			expect := func(deleted int, left ...string) {
				t.Helper()
				preview, err := r.collector.look(t.Context())
				if err != nil || preview.Counts["app"].Tags != deleted {
					t.Errorf("the preview has %d tags: %v", preview.Counts["app"].Tags, err)
				}
				for _, dryRun := range []bool{true, false} {
					if report := r.collect(t, Request{DryRun: dryRun}); report.Tags.Deleted != deleted {
						t.Errorf("dry run %t: %s", dryRun, report)
					}
				}
				if tags := r.Tags(t, "app"); !slices.Equal(tags, left) {
					t.Errorf("left are %q, want %q", tags, left)
				}
			}
			expect(0, "1", "2")
			r.Push(t, "app", "3", registrytest.Layer(3, 100))
			expect(1, "2", "3")
		})
	}
}

// TestOddManifest has fields that the engine does not know, with values of the wrong type.
func TestOddManifest(t *testing.T) {
	for _, field := range []string{`"subject":"x"`, `"blobs":1`, `"fsLayers":{}`} {
		t.Run(field, func(t *testing.T) {
			r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
			layer := registrytest.Layer(1, 100)
			config := []byte("{}")
			for _, each := range [][]byte{layer, config} {
				r.PushBlob(t, "app", digest.FromBytes(each), each)
			}
			content := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":2},"layers":[{"mediaType":%q,"digest":%q,"size":100}],%s}`,
				v1.MediaTypeImageManifest, v1.MediaTypeImageConfig, digest.FromBytes(config), v1.MediaTypeImageLayer, digest.FromBytes(layer), field)
			if status, text := r.tryManifest(t, "app", "odd", content); status != http.StatusBadRequest || !strings.Contains(text, "MANIFEST_INVALID") {
				t.Errorf("%d: %s", status, text)
			}
			// This one was pushed before.
			d := digest.FromString(content)
			r.put(t, layout.BlobPath(d), content)
			r.put(t, layout.LinkPath(layout.RepositoryPath("app", layout.Revisions), d), d.String())
			r.put(t, layout.TagPath("app", "odd"), d.String())
			r.Push(t, "other", "1", registrytest.Layer(2, 100))
			r.Push(t, "other", "1", registrytest.Layer(3, 100))
			r = serve(t, r.collector.driver, "b", quick, r.collector.options)
			if report := r.collect(t, Request{}); report.Manifests.Deleted != 1 {
				t.Errorf("%s", report)
			}
			r.Pulled(t)
		})
	}
}

func (r *rig) tryManifest(t *testing.T, repository, reference, content string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, r.URL+"/v2/"+repository+"/manifests/"+reference, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", v1.MediaTypeImageManifest)
	if strings.Contains(content, v1.MediaTypeImageIndex) {
		request.Header.Set("Content-Type", v1.MediaTypeImageIndex)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestDamagedManifest keeps all of its repository, because nobody knows what it needs. Other repositories
// are collected. Pushing the manifest again heals it.
func TestDamagedManifest(t *testing.T) {
	for _, bytes := range []string{"", "no manifest", `{"schemaVersion":2`} {
		t.Run(fmt.Sprintf("%q", bytes), func(t *testing.T) {
			r := serve(t, folder(t), "a", quick, Options{DeleteUntagged: true})
			d := r.Push(t, "app", "1", registrytest.Layer(1, 100))
			r.Push(t, "app", "2", registrytest.Layer(2, 100))
			r.Push(t, "app", "2", registrytest.Layer(3, 100))
			r.Push(t, "other", "1", registrytest.Layer(2, 100), registrytest.Layer(4, 100))
			r.Push(t, "other", "1", registrytest.Layer(5, 100))
			whole := r.Pulled(t)
			r.put(t, layout.BlobPath(d), bytes)
			// By now the servers have forgotten what clients were told.
			r = serve(t, r.collector.driver, "b", quick, r.collector.options)
			var out strings.Builder
			report, err := r.collector.Collect(t.Context(), Request{}, &out)
			// The other repository's untagged manifest goes, and so does its layer that this repository does not have.
			if err != nil || report.Manifests.Deleted != 1 || report.Blobs.Deleted != 2 {
				t.Errorf("%v: %s", err, report)
			}
			if want := "app@" + d.String() + " is damaged"; !strings.Contains(out.String(), want) {
				t.Errorf("it was not told: %s", &out)
			}
			if again := r.Push(t, "app", "1", registrytest.Layer(1, 100)); again != d {
				t.Fatal("another image")
			}
			if got := r.Pulled(t); !slices.Equal(got, whole) {
				t.Errorf("it serves %q", got)
			}
			if report := r.collect(t, Request{}); report.Manifests.Deleted != 1 {
				t.Errorf("it is not healed: %s", report)
			}
		})
	}
}

// TestEmptiedBlobs has what a power cut leaves most often: files whose bytes were not written yet.
// Clients that ask before they push are told that nothing is there, except for an empty layer.
func TestEmptiedBlobs(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	layer := registrytest.Layer(1, 100)
	image := r.Push(t, "app", "1", layer)
	r.PushBlob(t, "app", digest.FromBytes(nil), nil)
	for _, d := range []digest.Digest{image, digest.FromBytes(layer)} {
		r.put(t, layout.BlobPath(d), "")
	}
	r = serve(t, r.collector.driver, "b", quick, Options{})
	for name, want := range map[string]int{
		"manifests/" + image.String():               http.StatusNotFound,
		"manifests/1":                               http.StatusNotFound,
		"blobs/" + digest.FromBytes(layer).String(): http.StatusNotFound,
		"blobs/" + digest.FromBytes(nil).String():   http.StatusOK,
	} {
		if status := head(t, r.URL+"/v2/app/"+name); status != want {
			t.Errorf("%s: %d", name, status)
		}
	}
	r.Push(t, "app", "1", layer)
	r.Pulled(t)
}

// TestFirstPushElsewhere has a first push through another server, of which this one knows nothing. The
// repository has layers but no manifest yet.
func TestFirstPushElsewhere(t *testing.T) {
	driver := folder(t)
	a, b := serve(t, driver, "a", quick, Options{Grace: time.Hour}), serve(t, driver, "b", quick, Options{})
	layer := registrytest.Layer(1, 100)
	b.PushBlob(t, "new/app", digest.FromBytes(layer), layer)
	if report := a.collect(t, Request{}); report.RepositoriesDeleted != 0 {
		t.Errorf("%s", report)
	}
	b.pushImage(t, "new/app", "1", digest.FromBytes(layer), len(layer))
	a.Pulled(t)
}

// TestRefusedTag is pushed through another server while a collection begins, deletes what
// the engine had found, and ends. The push is refused, and the tag names what it named before.
func TestRefusedTag(t *testing.T) {
	driver := folder(t)
	a := serve(t, driver, "a", quick, Options{})
	layer := registrytest.Layer(1, 100)
	a.PushBlob(t, "app", digest.FromBytes(layer), layer)
	a.PushBlob(t, "app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	spy := registrytest.NewSpy(driver)
	b := serve(t, spy, "b", quick, Options{})
	want := b.Push(t, "app", "1", registrytest.Layer(2, 100))
	// Nobody counts on the layer any more.
	a = serve(t, driver, "a", quick, Options{})
	collected := false
	spy.Before = func(action, path string) error {
		if action == "put" && strings.Contains(path, layout.Revisions) && !collected {
			collected = true
			if report := a.collect(t, Request{}); report.Blobs.Deleted == 0 {
				t.Errorf("%s", report)
			}
		}
		return nil
	}
	content := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":2},"layers":[{"mediaType":%q,"digest":%q,"size":100}]}`,
		v1.MediaTypeImageManifest, v1.MediaTypeImageConfig, v1.DescriptorEmptyJSON.Digest, v1.MediaTypeImageLayer, digest.FromBytes(layer))
	if status, text := b.tryManifest(t, "app", "1", content); !collected || status != http.StatusBadRequest || !strings.Contains(text, "BLOB_UNKNOWN") {
		t.Errorf("%d: %s", status, text)
	}
	if got, err := driver.GetContent(t.Context(), layout.TagPath("app", "1")); err != nil || digest.Digest(got) != want {
		t.Errorf("the tag names %s: %v", got, err)
	}
	b.Pulled(t)
}

// TestTagThatIsLate is written after a collection of the same server has begun and looked. The
// collection saw the manifest, but no tag.
func TestTagThatIsLate(t *testing.T) {
	spy := registrytest.NewSpy(folder(t))
	r := serve(t, spy, "a", quick, Options{DeleteUntagged: true})
	var collection *run
	spy.Before = func(action, path string) error {
		if action == "put" && layout.IsTag(path) && collection == nil {
			collection = r.begin(t)
		}
		return nil
	}
	r.Push(t, "app", "1", registrytest.Layer(1, 100))
	if collection == nil {
		t.Fatal("no tag was written")
	}
	if err := collection.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if lines := r.Pulled(t); len(lines) != 4 {
		t.Errorf("left are %q", lines)
	}
}

// TestDeletedMeanwhile has one client delete an image by its digest while another pushes it with a new tag, as
// reproducible builds do.
func TestDeletedMeanwhile(t *testing.T) {
	for _, servers := range []int{1, 2} {
		t.Run(fmt.Sprint(servers), func(t *testing.T) {
			spy := registrytest.NewSpy(folder(t))
			a := serve(t, spy, "a", quick, Options{})
			other := []*rig{a, serve(t, spy.StorageDriver, "b", quick, Options{})}[servers-1]
			image := a.Push(t, "app", "1", registrytest.Layer(1, 100))
			deleted := false
			spy.Before = func(action, path string) error {
				if action == "put" && path == layout.TagPath("app", "2") && !deleted {
					deleted = true
					other.Delete(t, "app", image.String())
				}
				return nil
			}
			a.Retag(t, "app", "1", "2")
			if lines := a.Pulled(t); !deleted || len(lines) != 4 {
				t.Errorf("left are %q", lines)
			}
		})
	}
}

// after is called after a file was read.
type after struct {
	storagedriver.StorageDriver
	read func(path string)
}

func (a *after) GetContent(ctx context.Context, path string) ([]byte, error) {
	content, err := a.StorageDriver.GetContent(ctx, path)
	a.read(path)
	return content, err
}

// TestMovedMeanwhile has a tag pushed while the manifest that it named is deleted by its digest, after the
// engine has found which tags go.
func TestMovedMeanwhile(t *testing.T) {
	for _, servers := range []int{1, 2} {
		t.Run(fmt.Sprint(servers), func(t *testing.T) {
			driver := &after{folder(t), func(string) {}}
			a := serve(t, driver, "a", quick, Options{})
			other := []*rig{a, serve(t, driver.StorageDriver, "b", quick, Options{})}[servers-1]
			old := a.Push(t, "app", "latest", registrytest.Layer(1, 100))
			var pushed digest.Digest
			driver.read = func(path string) {
				if path == layout.TagPath("app", "latest") && pushed == "" {
					pushed = "under way"
					pushed = other.Push(t, "app", "latest", registrytest.Layer(2, 100))
				}
			}
			a.Delete(t, "app", old.String())
			if lines := a.Pulled(t); len(lines) != 4 || !strings.Contains(lines[0], pushed.String()) {
				t.Errorf("left are %q, and not %s", lines, pushed)
			}
		})
	}
}

// TestBytesOfAnotherAlgorithm are already there when a client uploads them by a digest of that algorithm, and
// nobody else needs them.
func TestBytesOfAnotherAlgorithm(t *testing.T) {
	spy := registrytest.NewSpy(folder(t))
	r := serve(t, spy, "a", quick, Options{})
	layer := registrytest.Layer(1, 100)
	r.PushBlob(t, "other", digest.FromBytes(layer), layer)
	r = serve(t, spy, "b", quick, Options{})
	collected := false
	spy.Before = func(action, path string) error {
		if action == "put" && strings.Contains(path, "/"+layout.Layers+"/sha512/") && !collected {
			collected = true
			r.collect(t, Request{})
		}
		return nil
	}
	r.PushBlob(t, "app", sum512(layer), layer)
	if !collected {
		t.Fatal("no link was written")
	}
	r.pushImage(t, "app", "1", sum512(layer), len(layer))
	r.Pulled(t)
}
