package registrytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Pulled returns everything that the registry's tags lead to, one line each. Every manifest and
// layer is pulled and compared with its digest.
func (c Client) Pulled(t testing.TB) []string {
	t.Helper()
	var lines []string
	for _, repository := range c.Catalog(t) {
		for _, tag := range c.Tags(t, repository) {
			d := c.tagged(t, repository, tag)
			lines = append(lines, fmt.Sprintf("%s:%s %s", repository, tag, d))
			lines = append(lines, c.pullManifest(t, repository, d)...)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// tagged returns the digest that the registry gives for the manifest of a tag.
func (c Client) tagged(t testing.TB, repository, tag string) digest.Digest {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, c.URL+"/v2/"+repository+"/manifests/"+tag, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header["Accept"] = manifestTypes
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	d, err := digest.Parse(response.Header.Get("Docker-Content-Digest"))
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("HEAD %s:%s: %s, digest %q", repository, tag, response.Status, d)
	}
	return d
}

var manifestTypes = []string{v1.MediaTypeImageManifest, v1.MediaTypeImageIndex}

func (c Client) pullManifest(t testing.TB, repository string, d digest.Digest) []string {
	t.Helper()
	content := c.verified(t, "/v2/"+repository+"/manifests/", d)
	var m struct {
		Config    *v1.Descriptor
		Layers    []v1.Descriptor
		Manifests []v1.Descriptor
	}
	if err := json.Unmarshal(content, &m); err != nil {
		t.Fatal(err)
	}
	lines := []string{fmt.Sprintf("%s@%s %d", repository, d, len(content))}
	if m.Config != nil {
		m.Layers = append(m.Layers, *m.Config)
	}
	for _, layer := range m.Layers {
		size := len(c.verified(t, "/v2/"+repository+"/blobs/", layer.Digest))
		lines = append(lines, fmt.Sprintf("%s@%s %d", repository, layer.Digest, size))
	}
	for _, child := range m.Manifests {
		lines = append(lines, c.pullManifest(t, repository, child.Digest)...)
	}
	return lines
}

func (c Client) verified(t testing.TB, path string, d digest.Digest) []byte {
	t.Helper()
	content := c.get(t, path+d.String())
	if got := d.Algorithm().FromBytes(content); got != d {
		t.Errorf("%s%s has the digest %s", path, d, got)
	}
	return content
}
