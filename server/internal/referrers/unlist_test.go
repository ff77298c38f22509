package referrers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/turns"
)

// signed is an image with things about it, which a client may have listed in its tag.
type signed struct {
	registrytest.Client
	t      testing.TB
	driver storagedriver.StorageDriver
	image  digest.Digest
	about  []digest.Digest
	// size is that of each.
	size int64
	tag  string
}

// sign has as many as that. Between what is tested and the fence stands another handler.
func sign(t testing.TB, n int, between func(fenced http.Handler) http.Handler) *signed {
	t.Helper()
	driver := inmemory.New()
	client := serveAround(t, driver, "/registry/", func(fenced http.Handler) http.Handler {
		return Unlist(between(fenced), NewLister(driver, turns.New(0)), "/registry/", registrytest.Silent())
	})
	s := &signed{Client: client, t: t, driver: driver, image: client.Push(t, "app", "1")}
	s.tag = layout.ReferrersTag(s.image)
	client.PushBlob(t, "app", v1.DescriptorEmptyJSON.Digest, v1.DescriptorEmptyJSON.Data)
	for i := range n {
		m := signature(s.image, fmt.Sprintf("%02d", i))
		content, _ := json.Marshal(m)
		s.size = int64(len(content))
		s.about = append(s.about, client.PushManifest(t, "app", "", v1.MediaTypeImageManifest, m))
	}
	return s
}

func directly(fenced http.Handler) http.Handler { return fenced }

// list writes the tag as clients do.
func (s *signed) list(tag string, listed ...digest.Digest) digest.Digest {
	s.t.Helper()
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Annotations: map[string]string{"of": "a client"}}
	for _, d := range listed {
		index.Manifests = append(index.Manifests, v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: d, Size: s.size, ArtifactType: "application/vnd.example.noted"})
	}
	return s.PushManifest(s.t, "app", tag, v1.MediaTypeImageIndex, index)
}

func (s *signed) delete(d digest.Digest) int {
	s.t.Helper()
	return s.Status(s.t, http.MethodDelete, "/v2/app/manifests/"+d.String())
}

// expect has the tag list these, as the client wrote them, and no tag for none.
func (s *signed) expect(want ...digest.Digest) {
	s.t.Helper()
	response, index := answer(s.t, s.Client, "/v2/app/manifests/"+s.tag)
	var got []digest.Digest
	for _, each := range index.Manifests {
		got = append(got, each.Digest)
		if each.ArtifactType != "application/vnd.example.noted" || index.Annotations["of"] != "a client" {
			s.t.Errorf("%+v", index)
		}
	}
	if !slices.Equal(got, want) || (response.StatusCode == http.StatusNotFound) != (len(want) == 0) {
		s.t.Errorf("%s: %v instead of %v", response.Status, got, want)
	}
}

// TestUnlist is of a client that keeps the list, deletes what is in it, and writes it anew.
func TestUnlist(t *testing.T) {
	s := sign(t, 3, directly)
	old := s.list(s.tag, s.about[0], s.about[1])
	if status := s.delete(s.about[0]); status != http.StatusAccepted {
		t.Error(status)
	}
	s.expect(s.about[1])
	if status := s.Status(t, http.MethodHead, "/v2/app/manifests/"+old.String()); status != http.StatusNotFound {
		t.Errorf("the list of before: %d", status)
	}
	s.list(s.tag, s.about[1], s.about[2])
	for i, d := range s.about[1:] {
		s.delete(d)
		s.expect(s.about[i+2:]...)
	}
	if tags := s.Tags(t, "app"); !slices.Equal(tags, []string{"1"}) {
		t.Error(tags)
	}
	for _, d := range []digest.Digest{s.about[0], digest.FromString("never pushed")} {
		if status := s.delete(d); status != http.StatusNotFound {
			t.Errorf("once more: %d", status)
		}
	}
}

// TestUnlistMissing is of what went before servers did this.
func TestUnlistMissing(t *testing.T) {
	for _, asked := range []int{0, 1} {
		s := sign(t, 3, directly)
		s.list(s.tag, s.about...)
		if err := s.driver.Delete(t.Context(), layout.RevisionPath("app", s.about[0])); err != nil {
			t.Fatal(err)
		}
		if status := s.delete(s.about[asked]); status != http.StatusAccepted {
			t.Error(status)
		}
		s.expect(s.about[1+asked:]...)
	}
}

// TestUnlistOthers leaves alone what is no such list, and what somebody calls otherwise.
func TestUnlistOthers(t *testing.T) {
	s := sign(t, 2, directly)
	kept := s.list("kept", s.about...)
	s.list(s.tag, s.about...)
	s.delete(s.about[0])
	s.expect(s.about[1])
	s.delete(s.about[1])
	if tags := s.Tags(t, "app"); !slices.Equal(tags, []string{"1", "kept"}) {
		t.Error(tags)
	}
	if status := s.Status(t, http.MethodHead, "/v2/app/manifests/"+kept.String()); status != http.StatusOK {
		t.Errorf("what has another tag: %d", status)
	}

	s = sign(t, 3, directly)
	s.list(s.tag, s.about[0])
	s.delete(s.about[1])
	s.expect(s.about[0])
	s.Retag(t, "app", "1", s.tag)
	s.delete(s.about[2])
	if tags := s.Tags(t, "app"); !slices.Equal(tags, []string{"1", s.tag}) {
		t.Error(tags)
	}
}

// TestUnlistTogether deletes all at once.
func TestUnlistTogether(t *testing.T) {
	s := sign(t, 12, directly)
	s.list(s.tag, s.about...)
	var group sync.WaitGroup
	for _, d := range s.about[1:] {
		group.Go(func() {
			if status := s.delete(d); status != http.StatusAccepted {
				t.Error(status)
			}
		})
	}
	group.Wait()
	s.expect(s.about[0])
}

// TestUnlistWhileListed has a client write the list between the server's look and its own.
func TestUnlistWhileListed(t *testing.T) {
	meanwhile := func() {}
	s := sign(t, 3, func(fenced http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				do := meanwhile
				meanwhile = func() {}
				do()
			}
			fenced.ServeHTTP(w, r)
		})
	})
	s.list(s.tag, s.about[0], s.about[1])
	meanwhile = func() { s.list(s.tag, s.about[1], s.about[2]) }
	s.delete(s.about[0])
	s.expect(s.about[1], s.about[2])
}

// TestUnlistFails is of a store that takes no list for a while: the client is told to ask again.
func TestUnlistFails(t *testing.T) {
	answer := 0
	s := sign(t, 2, func(fenced http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if answer != 0 && r.Method == http.MethodPut {
				w.WriteHeader(answer)
				return
			}
			fenced.ServeHTTP(w, r)
		})
	})
	s.list(s.tag, s.about...)
	// What it never takes is no reason to have the client ask for ever.
	for _, step := range []struct{ answer, want int }{
		{http.StatusServiceUnavailable, http.StatusServiceUnavailable},
		{http.StatusServiceUnavailable, http.StatusServiceUnavailable},
		{http.StatusBadRequest, http.StatusAccepted},
		{0, http.StatusAccepted},
		{0, http.StatusNotFound},
	} {
		answer = step.answer
		if status := s.delete(s.about[0]); status != step.want {
			t.Errorf("%+v: %d", step, status)
		}
	}
	s.expect(s.about[1])
}

// TestUnlistOddities of what clients may have in such a tag.
func TestUnlistOddities(t *testing.T) {
	s := sign(t, 2, directly)
	entry := map[string]any{"digest": s.about[0], "size": s.size, "mediaType": v1.MediaTypeImageManifest}
	for _, manifests := range []any{[]any{entry, entry}, []any{entry, map[string]any{"digest": s.about[1], "size": s.size, "mediaType": v1.MediaTypeImageManifest, "more": []int{1}}}} {
		content, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": manifests})
		if err != nil {
			t.Fatal(err)
		}
		s.PushManifest(t, "app", s.tag, v1.MediaTypeImageIndex, json.RawMessage(content))
		s.delete(s.about[0])
		response, index := answer(t, s.Client, "/v2/app/manifests/"+s.tag)
		if slices.ContainsFunc(index.Manifests, func(d v1.Descriptor) bool { return d.Digest == s.about[0] }) {
			t.Errorf("%s: %+v", response.Status, index)
		}
		s.PushManifest(t, "app", "", v1.MediaTypeImageManifest, signature(s.image, "00"))
	}
}

// whole notes what is read at once.
type whole struct {
	storagedriver.StorageDriver
	t testing.TB
}

func (w whole) GetContent(ctx context.Context, path string) ([]byte, error) {
	content, err := w.StorageDriver.GetContent(ctx, path)
	if len(content) > manifest.MostBytes {
		w.t.Errorf("%s: %d bytes at once", path, len(content))
	}
	return content, err
}

// TestUnlistLayer is of who deletes a layer as if it were a manifest: it may be larger than the memory.
func TestUnlistLayer(t *testing.T) {
	driver := inmemory.New()
	client := serveAround(t, driver, "/registry/", func(fenced http.Handler) http.Handler {
		return Unlist(fenced, NewLister(whole{driver, t}, turns.New(0)), "/registry/", registrytest.Silent())
	})
	layer := make([]byte, manifest.MostBytes+1)
	client.PushBlob(t, "app", digest.FromBytes(layer), layer)
	if status := client.Status(t, http.MethodDelete, "/v2/app/manifests/"+digest.FromBytes(layer).String()); status != http.StatusNotFound {
		t.Error(status)
	}
}

// TestUnlistLong is of a list that must not become longer than a manifest may be.
func TestUnlistLong(t *testing.T) {
	s := sign(t, 2, directly)
	entry := func(d digest.Digest, text string) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"annotations":{"a":%q}}`, v1.MediaTypeImageManifest, d, s.size, text)
	}
	last := entry(s.about[1], strings.Repeat("<", 1<<20))
	list := `{"schemaVersion":2,"manifests":[` + entry(s.about[0], "b") + "," + last + "]}"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/v2/app/manifests/"+s.tag, strings.NewReader(list))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", v1.MediaTypeImageIndex)
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.Body.Close() != nil || response.StatusCode != http.StatusCreated {
		t.Fatalf("%+v: %v", response, err)
	}
	if status := s.delete(s.about[0]); status != http.StatusAccepted {
		t.Error(status)
	}
	content, err := s.driver.GetContent(t.Context(), layout.TagPath("app", s.tag))
	if err != nil {
		t.Fatal(err)
	}
	written, err := s.driver.GetContent(t.Context(), layout.BlobPath(digest.Digest(content)))
	if err != nil || string(written) != `{"manifests":[`+last+`],"schemaVersion":2}` {
		t.Errorf("%.300s: %v", written, err)
	}
}
