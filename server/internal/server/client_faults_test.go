package server

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// send sends a request whose body has a type.
func (i *instance) send(t *testing.T, method, url, mediaType, content string) (status int, text []byte) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", mediaType)
	response, err := i.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body(t, response)
}

// TestFaultsOfClients expects faults of clients not to be reported as the server's.
func TestFaultsOfClients(t *testing.T) {
	i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+t.TempDir()+"}, delete: {enabled: true}}\n"), &http.Client{})
	config := `"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"` + i.push(t, "app", strings.NewReader("{}")) + `","size":2}`
	image := `{"schemaVersion":2,` + config + `,"layers":[]`
	layer := `{"schemaVersion":2,` + config + `,"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","size":1,"digest":%q}]}`
	long := strings.Repeat("a", 256)
	for _, test := range []struct {
		name, method, path, mediaType, content string
		status                                 int
		code                                   string
	}{
		{"referrers of a long name", http.MethodGet, long + "/referrers/" + digest.FromString("").String(), "", "", 400, "NAME_INVALID"},
		{"referrers of a host's name", http.MethodGet, "localhost:5000/app/referrers/" + digest.FromString("").String(), "", "", 400, "NAME_INVALID"},
		{"an upload to a host's name", http.MethodPost, "localhost:5000/app/blobs/uploads/", "", "", 400, "NAME_INVALID"},
		{"a tag that is not there", http.MethodDelete, "app/manifests/none", "", "", 404, `"MANIFEST_UNKNOWN","message":"manifest unknown","detail":"unknown tag=none"`},
		{"a long upload", http.MethodGet, "app/blobs/uploads/" + long, "", "", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"an image", http.MethodPut, "app/manifests/1", v1.MediaTypeImageManifest, image + "}", 201, ""},
		{"an unknown algorithm", http.MethodPut, "app/manifests/1", v1.MediaTypeImageManifest, fmt.Sprintf(layer, "blake3:"+long[:64]), 400, "MANIFEST_INVALID"},
		{"half a digest", http.MethodPut, "app/manifests/1", v1.MediaTypeImageManifest, fmt.Sprintf(layer, "sha256:abc"), 400, `"MANIFEST_INVALID","message":"manifest invalid: \"sha256:abc\": `},
		{"half a digest in an index", http.MethodPut, "app/manifests/1", v1.MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[{"size":1,"digest":"sha256:abc"}]}`, 400, "MANIFEST_INVALID"},
		{"a list twice", http.MethodPut, "app/manifests/1", v1.MediaTypeImageManifest, image + `,"manifests":[{"size":"x"}],"manifests":null}`, 400, `"message":"manifest invalid: \"manifests\" is there twice"`},
		{"schema 1", http.MethodPut, "app/manifests/1", "application/vnd.docker.distribution.manifest.v1+json", `{"schemaVersion":1}`, 400, `"message":"manifest invalid: schemaVersion is 1, and 2 in`},
		{"an artifact of a draft", http.MethodPut, "app/manifests/1", "application/vnd.oci.artifact.manifest.v1+json", `{"mediaType":"application/vnd.oci.artifact.manifest.v1+json","artifactType":"a/b","blobs":[]}`, 400, `"message":"manifest invalid: application/vnd.oci.artifact.manifest.v1+json was withdrawn`},
		{"an artifact of a draft of ORAS", http.MethodPut, "app/manifests/1", "application/vnd.cncf.oras.artifact.manifest.v1+json", `{"mediaType":"application/vnd.cncf.oras.artifact.manifest.v1+json","artifactType":"a/b","blobs":[]}`, 400, `"message":"manifest invalid: application/vnd.cncf.oras.artifact.manifest.v1+json was withdrawn`},
		{"no manifest", http.MethodPut, "app/manifests/1", v1.MediaTypeImageManifest, "text", 400, `"message":"manifest invalid: it is no JSON object"`},
		{"another type than its header", http.MethodPut, "app/manifests/1", v1.MediaTypeImageIndex, image + "}", 400, `"message":"manifest invalid: `},
		{"a long one", http.MethodPut, "app/manifests/1", v1.MediaTypeImageManifest, image + `,"annotations":{"a":"` + strings.Repeat("a", 4<<20) + `"}}`, 413, `"message":"manifest invalid: the manifest is larger than 4 MiB"`},
	} {
		status, text := i.send(t, test.method, i.base+"/v2/"+test.path, test.mediaType, test.content)
		if status != test.status || !bytes.Contains(text, []byte(test.code)) {
			t.Errorf("%s: %d %s", test.name, status, text)
		}
	}
	begun := i.do(t, http.MethodPost, "/v2/app/blobs/uploads/", nil)
	body(t, begun)
	if status, text := i.send(t, http.MethodPatch, begun.Header.Get("Location"), "application/x-www-form-urlencoded", "layer"); status != http.StatusAccepted {
		t.Errorf("a chunk as curl sends it: %d %s", status, text)
	}
}

// TestPathsOfNothing has paths that the engine would answer with a page of its own. A client that is not logged
// in is told so first.
func TestPathsOfNothing(t *testing.T) {
	s, err := New(registrytest.Parse(t, inMemory+"http: {addr: '127.0.0.1:0', prefix: /p/}\nlog: {accesslog: {disabled: true}}\nauth: {htpasswd: {realm: registry, path: "+
		htpasswd(t, "alice", "wonder")+"}}\n"), own{}, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	defer s.endApp()
	defer s.listener.Close()
	long := strings.Repeat("a", 129)
	for _, test := range []struct {
		method, path string
		status       int
		code         string
	}{
		{http.MethodPut, "app/manifests/" + long, 400, "MANIFEST_INVALID"},
		{http.MethodPut, "app/manifests/-a", 400, "MANIFEST_INVALID"},
		// Clients ask for this when they make a tag of a long digest.
		{http.MethodGet, "app/manifests/sha512-" + long[1:], 404, "MANIFEST_UNKNOWN"},
		{http.MethodDelete, "app/manifests/-a", 404, "MANIFEST_UNKNOWN"},
		{http.MethodGet, "app/manifests/sha256:-", 400, "DIGEST_INVALID"},
		{http.MethodGet, "app/blobs/x", 400, "DIGEST_INVALID"},
		{http.MethodPatch, "app/blobs/uploads/~", 404, "BLOB_UPLOAD_UNKNOWN"},
		{http.MethodGet, "Team/W/tags/list", 400, "NAME_INVALID"},
		{http.MethodGet, "Team/W/referrers/" + digest.FromString("").String(), 400, "NAME_INVALID"},
		{http.MethodGet, "app/referrers/" + digest.FromString("").String() + "/", 404, "NAME_UNKNOWN"},
		{http.MethodGet, "app/tags/none", 404, "NAME_UNKNOWN"},
		{http.MethodGet, "app", 404, "NAME_UNKNOWN"},
		{http.MethodGet, "app//tags/list", 301, ""},
	} {
		r := httptest.NewRequest(test.method, "/p/v2/"+test.path, nil)
		w := httptest.NewRecorder()
		if s.http.Handler.ServeHTTP(w, r.Clone(t.Context())); test.code != "" && (w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "") {
			t.Errorf("%s without a login: %d", test.path, w.Code)
		}
		r.SetBasicAuth("alice", "wonder")
		w = httptest.NewRecorder()
		s.http.Handler.ServeHTTP(w, r)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.code) || test.code != "" && w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %d %s", test.method, test.path, w.Code, w.Body)
		}
	}
	w := httptest.NewRecorder()
	if s.http.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/p/none", nil)); w.Code != http.StatusNotFound {
		t.Errorf("outside of the API: %d", w.Code)
	}
}

// TestLinksThatGo has links that go while a cache knows them: that of a layer that another client has just
// deleted, and one that a power cut left empty.
func TestLinksThatGo(t *testing.T) {
	folder := t.TempDir()
	i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+folder+"}, delete: {enabled: true}, cache: {blobdescriptor: inmemory}}\n"), &http.Client{})
	client := registrytest.Client{URL: i.base}
	layer, image := digest.FromString("layer"), client.Push(t, "app", "1", []byte("layer"))
	path := "/v2/app/blobs/" + layer.String()
	link := filepath.Join(folder, layout.LinkPath(layout.RepositoryPath("app", layout.Layers), layer))
	content := body(t, i.do(t, http.MethodGet, "/v2/app/manifests/"+image.String(), nil))

	body(t, i.do(t, http.MethodHead, path, nil))
	if err := os.WriteFile(link, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, text := i.send(t, http.MethodPut, i.base+"/v2/app/manifests/2", v1.MediaTypeImageManifest, string(content)); status != http.StatusBadRequest || !bytes.Contains(text, []byte("BLOB_UNKNOWN")) {
		t.Errorf("an image without a layer: %d %s", status, text)
	}
	if status := client.Status(t, http.MethodHead, path); status != http.StatusNotFound {
		t.Errorf("its layer: %d", status)
	}
	client.Push(t, "app", "2", []byte("layer"))
	client.Pulled(t)

	body(t, i.do(t, http.MethodHead, path, nil))
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if status, text := i.send(t, http.MethodDelete, i.base+path, "", ""); status != http.StatusNotFound || !bytes.Contains(text, []byte("BLOB_UNKNOWN")) {
		t.Errorf("a layer that has just gone: %d %s", status, text)
	}
}

// TestLostLayer loses a layer from the store while a cache knows it. A client that pulls is told so, and so is
// a client that pushes after that, even if another repository would lend the layer.
func TestLostLayer(t *testing.T) {
	folder := t.TempDir()
	i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+folder+"}, cache: {blobdescriptor: inmemory}}\n"), &http.Client{})
	client := registrytest.Client{URL: i.base}
	layer := digest.FromString("layer")
	path := "/v2/app/blobs/" + layer.String()
	for _, repository := range []string{"app", "other"} {
		client.Push(t, repository, "1", []byte("layer"))
	}
	if err := os.Remove(filepath.Join(folder, layout.BlobPath(layer))); err != nil {
		t.Fatal(err)
	}
	if status, text := i.send(t, http.MethodGet, i.base+path, "", ""); status != http.StatusNotFound || !bytes.Contains(text, []byte("BLOB_UNKNOWN")) {
		t.Errorf("%d %s", status, text)
	}
	if status := client.Status(t, http.MethodHead, path); status != http.StatusNotFound {
		t.Errorf("it is there: %d", status)
	}
	if status := client.Status(t, http.MethodPost, "/v2/app/blobs/uploads/?from=other&mount="+layer.String()); status != http.StatusAccepted {
		t.Errorf("it is mounted: %d", status)
	}
	client.Push(t, "app", "1", []byte("layer"))
	client.Pulled(t)
}

// TestSchema1 has in its store a manifest that release 2 of the engine accepted, and release 3 cannot read.
func TestSchema1(t *testing.T) {
	folder := t.TempDir()
	content := []byte(`{"schemaVersion":1,"name":"app","tag":"old","architecture":"amd64","fsLayers":[],"history":[],"signatures":[]}`)
	d := digest.FromBytes(content)
	for path, content := range map[string][]byte{
		layout.BlobPath(d):            content,
		layout.RevisionPath("app", d): []byte(d),
		layout.TagPath("app", "old"):  []byte(d),
	} {
		file := filepath.Join(folder, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+folder+"}, delete: {enabled: true}}\n"), &http.Client{})
	for _, test := range []struct {
		method, reference string
		status            int
		text              string
	}{
		{http.MethodGet, "old", http.StatusNotFound, `"MANIFEST_UNKNOWN","message":"it is of schema 1, which this registry no longer serves; push the image again","detail":"old"`},
		{http.MethodGet, d.String(), http.StatusNotFound, "it is of schema 1"},
		{http.MethodHead, "old", http.StatusNotFound, ""},
		{http.MethodDelete, d.String(), http.StatusAccepted, ""},
		{http.MethodGet, "old", http.StatusNotFound, "unknown tag=old"},
	} {
		status, text := i.send(t, test.method, i.base+"/v2/app/manifests/"+test.reference, "", "")
		if status != test.status || !bytes.Contains(text, []byte(test.text)) {
			t.Errorf("%s %s: %d %s", test.method, test.reference, status, text)
		}
	}
}
