package server

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/registrytest"
)

// TestEngine checks what the engine once did differently from its specification.
func TestEngine(t *testing.T) {
	i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+t.TempDir()+"}, delete: {enabled: true}}\n"), &http.Client{})
	client := registrytest.Client{URL: i.base}
	client.Push(t, "app", "1", []byte("layer"))

	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
		response := i.do(t, method, "/v2/app/manifests/sha256:baddigeststring", strings.NewReader("{}"))
		if text := body(t, response); response.StatusCode != http.StatusBadRequest || method != http.MethodHead && !bytes.Contains(text, []byte("DIGEST_INVALID")) {
			t.Errorf("%s of a malformed digest: %s %s", method, response.Status, text)
		}
	}

	list := func(path, want string) {
		t.Helper()
		if text := body(t, i.do(t, http.MethodGet, path, nil)); !bytes.Contains(text, []byte(want)) {
			t.Errorf("%s: %s, want %s", path, text, want)
		}
	}
	list("/v2/app/tags/list?n=5&last=1", `"tags":[]`)
	client.Delete(t, "app", "1")
	list("/v2/app/tags/list", `"tags":[]`)
	list("/v2/_catalog?last=app", `"repositories":[]`)
}

// TestChunkOutOfOrder sends the last chunk of a layer with a hole before it.
func TestChunkOutOfOrder(t *testing.T) {
	i := start(t, registrytest.Parse(t, inMemory), &http.Client{})
	chunk := func(method, location, contentRange string, content io.Reader) *http.Response {
		t.Helper()
		request, err := http.NewRequest(method, location, content)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Range", contentRange)
		request.Header.Set("Content-Type", "application/octet-stream")
		response, err := i.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body(t, response)
		return response
	}
	const first, rest = "0123456789", "abcdefghij"
	begun := i.do(t, http.MethodPost, "/v2/app/blobs/uploads/", nil)
	body(t, begun)
	location := chunk(http.MethodPatch, begun.Header.Get("Location"), "0-9", strings.NewReader(first)).Header.Get("Location")
	last := location + "&digest=" + digest.FromString(first+rest).String()
	// The length of the second one is not sent.
	for _, content := range []io.Reader{strings.NewReader(rest), io.MultiReader(strings.NewReader(rest))} {
		if response := chunk(http.MethodPut, last, "20-29", content); response.StatusCode != http.StatusRequestedRangeNotSatisfiable {
			t.Errorf("out of order: %s", response.Status)
		}
	}
	response := i.do(t, http.MethodGet, location, nil)
	body(t, response)
	if got := response.Header.Get("Range"); got != "0-9" {
		t.Errorf("the upload is at %q after that", got)
	}
	if response := chunk(http.MethodPut, last, "10-19", io.MultiReader(strings.NewReader(rest))); response.StatusCode != http.StatusCreated {
		t.Errorf("in order: %s", response.Status)
	}
}

// TestLayerAsManifest asks for a manifest by a digest that the cache knows as a layer's.
func TestLayerAsManifest(t *testing.T) {
	i := start(t, registrytest.Parse(t, "storage: {inmemory: {}, delete: {enabled: true}, cache: {blobdescriptor: inmemory}}\n"), &http.Client{})
	for _, content := range []string{"layer", `{"schemaVersion": 3}`, `{}`} {
		d := i.push(t, "app", strings.NewReader(content))
		body(t, i.do(t, http.MethodHead, "/v2/app/blobs/"+d, nil))
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodDelete} {
			response := i.do(t, method, "/v2/app/manifests/"+d, nil)
			text := body(t, response)
			if response.StatusCode != http.StatusNotFound || method != http.MethodHead && !bytes.Contains(text, []byte("MANIFEST_UNKNOWN")) {
				t.Errorf("%s of %s: %s %s", method, content, response.Status, text)
			}
		}
		if response := i.do(t, http.MethodGet, "/v2/app/blobs/"+d, nil); string(body(t, response)) != content {
			t.Errorf("the layer %s: %s", content, response.Status)
		}
	}
}

// TestManifestAsLayer asks for a layer by a digest that the cache knows as a manifest's: clients upload only
// what does not exist.
func TestManifestAsLayer(t *testing.T) {
	i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+t.TempDir()+"}, delete: {enabled: true}, cache: {blobdescriptor: inmemory}}\n"), &http.Client{})
	client := registrytest.Client{URL: i.base}
	image := client.Push(t, "app", "1").String()
	content := body(t, i.do(t, http.MethodGet, "/v2/app/manifests/"+image, nil))
	response := i.do(t, http.MethodPost, "/v2/copy/blobs/uploads/?from=app&mount="+image, nil)
	body(t, response)
	if response.StatusCode != http.StatusAccepted {
		t.Errorf("a mount: %s", response.Status)
	}
	for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodDelete} {
		response := i.do(t, method, "/v2/app/blobs/"+image, nil)
		body(t, response)
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", method, response.Status)
		}
	}
	if d := i.push(t, "app", bytes.NewReader(content)); d != image {
		t.Fatal(d)
	}
	for range 2 {
		response := i.do(t, http.MethodGet, "/v2/app/blobs/"+image, nil)
		if got := body(t, response); !bytes.Equal(got, content) || response.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%s: %q", response.Status, got)
		}
		if got := body(t, i.do(t, http.MethodGet, "/v2/app/manifests/"+image, nil)); !bytes.Equal(got, content) {
			t.Errorf("the manifest: %q", got)
		}
	}
}

// TestForeignLayers pushes images with layers that are elsewhere.
func TestForeignLayers(t *testing.T) {
	const (
		foreign  = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
		apart    = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
		zstd     = "application/vnd.oci.image.layer.v1.tar+zstd"
		dockers  = "application/vnd.docker.distribution.manifest.v2+json"
		image    = "application/vnd.oci.image.manifest.v1+json"
		somehost = "validation: {manifests: {urls: {allow: ['^https://layers.example.com/']}}}\n"
	)
	for _, test := range []struct {
		settings, manifest, layer, url string
		want                           int
	}{
		{"", image, apart, "https://layers.example.com/1", http.StatusCreated},
		{"", image, apart, "HTTPS://layers.example.com/1", http.StatusCreated},
		{"", dockers, foreign, "https://layers.example.com/1", http.StatusCreated},
		{"", image, apart, "http://layers.example.com/1", http.StatusBadRequest},
		{"", dockers, foreign, "http://layers.example.com/1", http.StatusBadRequest},
		{"", image, zstd, "file:///etc/passwd", http.StatusBadRequest},
		{"", image, apart, "https://layers.example.com/1#2", http.StatusBadRequest},
		{"", image, apart, "https://%zz/", http.StatusBadRequest},
		{somehost, image, apart, "https://layers.example.com/1", http.StatusCreated},
		{somehost, image, apart, "https://layers.example.com.evil.com/1", http.StatusBadRequest},
		{somehost, dockers, foreign, "https://evil.com/", http.StatusBadRequest},
		{"validation: {manifests: {urls: {deny: ['evil']}}}\n", image, apart, "http://evil.com/", http.StatusBadRequest},
		{"validation: {manifests: {urls: {deny: ['evil']}}}\n", image, apart, "http://example.com/", http.StatusCreated},
		{"validation: {disabled: true}\n", image, apart, "http://example.com/", http.StatusCreated},
		{"validation: {disabled: true}\n", dockers, foreign, "ftp://example.com/", http.StatusBadRequest},
		{"validation: {disabled: true}\n", dockers, foreign, "", http.StatusBadRequest},
		{"", dockers, foreign, "", http.StatusBadRequest},
	} {
		i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+t.TempDir()+"}}\n"+test.settings), &http.Client{})
		config := i.push(t, "app", strings.NewReader("{}"))
		missing := digest.FromString(test.url)
		text := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":2},`+
			`"layers":[{"mediaType":%q,"digest":%q,"size":5,"urls":[%q]}]}`, test.manifest, config, test.layer, missing, test.url)
		text = strings.Replace(text, `"urls":[""]`, `"urls":[]`, 1)
		request, err := http.NewRequest(http.MethodPut, i.base+"/v2/app/manifests/1", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", test.manifest)
		response, err := i.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer := body(t, response)
		refused := bytes.Contains(answer, []byte(`"MANIFEST_INVALID","message":"manifest invalid: layers[0].urls`))
		if response.StatusCode != test.want || refused != (test.want == http.StatusBadRequest) {
			t.Errorf("%+v: %s %s", test, response.Status, answer)
		}
		i.stop()
	}
}
