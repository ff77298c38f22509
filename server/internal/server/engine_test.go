package server

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/registrytest"
)

// TestEngine has what the engine once did otherwise than its specification says.
func TestEngine(t *testing.T) {
	i := start(t, parsed(t, "storage: {inmemory: {}, delete: {enabled: true}}\n"), &http.Client{})
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
	i := start(t, parsed(t, inMemory), &http.Client{})
	chunk := func(method, location, contentRange, content string) *http.Response {
		t.Helper()
		request, err := http.NewRequest(method, location, strings.NewReader(content))
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
	location := chunk(http.MethodPatch, begun.Header.Get("Location"), "0-9", first).Header.Get("Location")
	last := location + "&digest=" + digest.FromString(first+rest).String()
	if response := chunk(http.MethodPut, last, "20-29", rest); response.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("out of order: %s", response.Status)
	}
	response := i.do(t, http.MethodGet, location, nil)
	body(t, response)
	if got := response.Header.Get("Range"); got != "0-9" {
		t.Errorf("the upload is at %q after that", got)
	}
	if response := chunk(http.MethodPut, last, "10-19", rest); response.StatusCode != http.StatusCreated {
		t.Errorf("in order: %s", response.Status)
	}
}
