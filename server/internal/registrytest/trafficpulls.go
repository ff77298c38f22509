package registrytest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func (c *Traffic) pull() {
	each, d, ok := c.any(1)
	if !ok {
		time.Sleep(time.Millisecond)
		return
	}
	problem := c.check(each, d)
	c.mutex.Lock()
	_, alive := c.alive[each]
	c.mutex.Unlock()
	if alive && problem != "" {
		c.fail("%s", problem)
	}
	if problem == "" {
		c.Pulls.Add(1)
	}
}

// check pulls an image and says what is wrong with it.
func (c *Traffic) check(each image, d digest.Digest) string {
	base := c.url("/v2/" + each.repository)
	content, problem := c.read(base+"/manifests/"+each.tag, d)
	if problem != "" {
		return problem
	}
	var manifest v1.Manifest
	if err := json.Unmarshal(content, &manifest); err != nil {
		return err.Error()
	}
	for _, blob := range append(manifest.Layers, manifest.Config) {
		if _, problem := c.read(base+"/blobs/"+blob.Digest.String(), blob.Digest); problem != "" {
			return problem
		}
	}
	return ""
}

func (c *Traffic) read(url string, want digest.Digest) (content []byte, problem string) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err.Error()
	}
	request.Header.Set("Accept", strings.Join([]string{v1.MediaTypeImageManifest, v1.MediaTypeImageIndex}, ","))
	response, err := c.client.Do(request)
	if err != nil {
		return nil, err.Error()
	}
	defer response.Body.Close()
	if content, err = io.ReadAll(response.Body); err != nil {
		return nil, err.Error()
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Sprintf("GET %s: %s: %.300s", url, response.Status, content)
	}
	if got := digest.FromBytes(content); got != want {
		return nil, fmt.Sprintf("GET %s: digest %s, want %s", url, got, want)
	}
	return content, ""
}
