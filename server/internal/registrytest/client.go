package registrytest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"
)

// Client speaks to a registry over HTTP.
type Client struct {
	URL string
}

// Serve serves a registry until the test ends.
func Serve(t testing.TB, c *configuration.Configuration) Client {
	t.Helper()
	// The engine logs every request to the global logger.
	logrus.SetLevel(logrus.ErrorLevel)
	app := handlers.NewApp(t.Context(), c)
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return Client{server.URL}
}

// Push pushes an image of these layers, and returns its digest. Without a tag it is pushed
// by its digest.
func (c Client) Push(t testing.TB, repository, tag string, layers ...[]byte) digest.Digest {
	t.Helper()
	m := v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageManifest,
		Config:    v1.Descriptor{MediaType: v1.MediaTypeImageConfig},
	}
	config := fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","author":%q}`, repository+":"+tag)
	m.Config.Digest, m.Config.Size = c.pushBlob(t, repository, config), int64(len(config))
	for _, layer := range layers {
		d := c.pushBlob(t, repository, layer)
		m.Layers = append(m.Layers, v1.Descriptor{MediaType: v1.MediaTypeImageLayer, Digest: d, Size: int64(len(layer))})
	}
	return c.PushManifest(t, repository, tag, m.MediaType, m)
}

// PushIndex tags an index of manifests that were pushed before.
func (c Client) PushIndex(t testing.TB, repository, tag string, manifests ...digest.Digest) digest.Digest {
	t.Helper()
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
	for i, d := range manifests {
		size := int64(len(c.get(t, "/v2/"+repository+"/manifests/"+d.String())))
		platform := &v1.Platform{OS: "linux", Architecture: []string{"amd64", "arm64"}[i%2]}
		index.Manifests = append(index.Manifests, v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: d, Size: size, Platform: platform})
	}
	return c.PushManifest(t, repository, tag, index.MediaType, index)
}

// PushAbout pushes a manifest whose subject is another one, such as a signature. Without a
// tag it is pushed by its digest.
func (c Client) PushAbout(t testing.TB, repository, tag string, subject digest.Digest) digest.Digest {
	t.Helper()
	m := v1.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    v1.MediaTypeImageManifest,
		ArtifactType: "application/vnd.example.signature",
		Config:       v1.DescriptorEmptyJSON,
		Layers:       []v1.Descriptor{v1.DescriptorEmptyJSON},
		Subject:      &v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: subject, Size: 1},
	}
	c.pushBlob(t, repository, v1.DescriptorEmptyJSON.Data)
	return c.PushManifest(t, repository, tag, m.MediaType, m)
}

// Referrers returns the digests of the manifests about a manifest, from all pages.
func (c Client) Referrers(t testing.TB, repository string, subject digest.Digest, query string) []digest.Digest {
	t.Helper()
	var found []digest.Digest
	for next := c.URL + "/v2/" + repository + "/referrers/" + subject.String() + query; next != ""; {
		response, err := http.Get(next)
		if err != nil {
			t.Fatal(err)
		}
		var index v1.Index
		err = json.NewDecoder(response.Body).Decode(&index)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || index.Manifests == nil || index.MediaType != v1.MediaTypeImageIndex {
			t.Fatalf("GET %s: %s: %v", next, response.Status, err)
		}
		for _, each := range index.Manifests {
			found = append(found, each.Digest)
		}
		next = ""
		if link, _, ok := strings.Cut(strings.TrimPrefix(response.Header.Get("Link"), "<"), ">"); ok {
			absolute, err := response.Request.URL.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			next = absolute.String()
		}
	}
	return found
}

// Delete deletes a tag, or a manifest with all its tags.
func (c Client) Delete(t testing.TB, repository, reference string) {
	t.Helper()
	c.DeletePath(t, "/v2/"+repository+"/manifests/"+reference)
}

// DeletePath deletes what a path of the API leads to.
func (c Client) DeletePath(t testing.TB, path string) {
	t.Helper()
	c.send(t, http.MethodDelete, c.URL+path, "", nil, http.StatusAccepted)
}

// Retag gives a manifest one more tag.
func (c Client) Retag(t testing.TB, repository, from, to string) {
	t.Helper()
	content := c.get(t, "/v2/"+repository+"/manifests/"+from)
	c.send(t, http.MethodPut, c.URL+"/v2/"+repository+"/manifests/"+to, v1.MediaTypeImageManifest, content, http.StatusCreated)
}

// Copy pushes an image again, to another repository.
func (c Client) Copy(t testing.TB, from, to, tag string) {
	t.Helper()
	content := c.get(t, "/v2/"+from+"/manifests/"+tag)
	var m v1.Manifest
	if err := json.Unmarshal(content, &m); err != nil {
		t.Fatal(err)
	}
	for _, each := range append(m.Layers, m.Config) {
		c.PushBlob(t, to, each.Digest, c.verified(t, "/v2/"+from+"/blobs/", each.Digest))
	}
	c.send(t, http.MethodPut, c.URL+"/v2/"+to+"/manifests/"+tag, v1.MediaTypeImageManifest, content, http.StatusCreated)
}

// BeginUpload leaves an unfinished upload.
func (c Client) BeginUpload(t testing.TB, repository string) {
	t.Helper()
	c.HalfUpload(t, repository)
}

// TryUpload returns the status of an attempt to begin an upload.
func (c Client) TryUpload(t testing.TB, repository string) int {
	t.Helper()
	return c.Status(t, http.MethodPost, "/v2/"+repository+"/blobs/uploads/")
}

// Status returns the status of a request without a body.
func (c Client) Status(t testing.TB, method, path string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, c.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header["Accept"] = manifestTypes
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// HalfUpload uploads half of a layer; the function that it returns uploads the rest.
func (c Client) HalfUpload(t testing.TB, repository string) (finish func()) {
	t.Helper()
	location := c.send(t, http.MethodPost, c.URL+"/v2/"+repository+"/blobs/uploads/", "", nil, http.StatusAccepted)
	location = c.send(t, http.MethodPatch, location, "application/octet-stream", []byte("half of a layer"), http.StatusAccepted)
	return func() {
		t.Helper()
		d := digest.FromString("half of a layer, all of it")
		c.send(t, http.MethodPut, location+"&digest="+d.String(), "application/octet-stream", []byte(", all of it"), http.StatusCreated)
		c.verified(t, "/v2/"+repository+"/blobs/", d)
	}
}

// Catalog returns the names of all repositories.
func (c Client) Catalog(t testing.TB) []string {
	t.Helper()
	status, content := c.ask(t, "/v2/_catalog")
	if status == http.StatusNotFound {
		return nil
	}
	var catalog struct{ Repositories []string }
	if err := json.Unmarshal(content, &catalog); err != nil || status != http.StatusOK {
		t.Fatalf("GET /v2/_catalog: %d: %v: %.300s", status, err, content)
	}
	return catalog.Repositories
}

func (c Client) pushBlob(t testing.TB, repository string, content []byte) digest.Digest {
	t.Helper()
	d := digest.FromBytes(content)
	c.PushBlob(t, repository, d, content)
	return d
}

// PushBlob uploads a blob by a digest of any algorithm.
func (c Client) PushBlob(t testing.TB, repository string, d digest.Digest, content []byte) {
	t.Helper()
	location := c.send(t, http.MethodPost, c.URL+"/v2/"+repository+"/blobs/uploads/", "", nil, http.StatusAccepted)
	c.send(t, http.MethodPut, location+"&digest="+d.String(), "application/octet-stream", content, http.StatusCreated)
}

// PushManifest pushes m, written as JSON, as a manifest: by its digest if there is no tag.
func (c Client) PushManifest(t testing.TB, repository, tag, mediaType string, m any) digest.Digest {
	t.Helper()
	content, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	d := digest.FromBytes(content)
	if tag == "" {
		tag = d.String()
	}
	c.send(t, http.MethodPut, c.URL+"/v2/"+repository+"/manifests/"+tag, mediaType, content, http.StatusCreated)
	return d
}

func (c Client) send(t testing.TB, method, url, mediaType string, body []byte, want int) (location string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", mediaType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != want {
		text, _ := io.ReadAll(response.Body)
		t.Fatalf("%s %s: %s: %s", method, url, response.Status, text)
	}
	return response.Header.Get("Location")
}

// Tags returns the tags of a repository; none if it has only layers.
func (c Client) Tags(t testing.TB, repository string) []string {
	t.Helper()
	path := "/v2/" + repository + "/tags/list"
	status, content := c.ask(t, path)
	if status == http.StatusNotFound {
		return nil
	}
	var list struct{ Tags []string }
	if err := json.Unmarshal(content, &list); err != nil || status != http.StatusOK {
		t.Fatalf("GET %s: %d: %v: %.300s", path, status, err, content)
	}
	return list.Tags
}

func (c Client) get(t testing.TB, path string) []byte {
	t.Helper()
	status, content := c.ask(t, path)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d: %.300s", path, status, content)
	}
	return content
}

func (c Client) ask(t testing.TB, path string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header["Accept"] = manifestTypes
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	return response.StatusCode, content
}
