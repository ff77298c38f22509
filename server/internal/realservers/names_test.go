package realservers

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/registrytest"
)

// TestNames lists and deletes, on every store, things whose names begin with other names.
func TestNames(t *testing.T) {
	t.Parallel()
	for name, storage := range everyStore {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			section, google := storage(t)
			address := registrytest.FreeAddress(t)
			testNames(t, serveProcess(t, command(t.Context(), t, google, "serve", configFile(t, "server", config(address, section))), address).Client)
		})
	}
}

func testNames(t *testing.T, server registrytest.Client) {
	tags := []string{"0.1.2", "0.1.2-alpine", "0.1.2.1", "0.1.20", "0.2.0"}
	for _, tag := range tags {
		server.Push(t, "team/app", tag, []byte("layer"))
	}
	others := []string{"team/app-extra", "team/app.more", "team/app/sub", "team/apple"}
	for _, repository := range others {
		server.Push(t, repository, "latest", []byte("layer"))
	}
	repositories := slices.Sorted(slices.Values(append(others, "team/app")))

	paged := func(path string, key string) []string {
		var all []string
		for path != "" {
			response, content := answer(t, http.MethodGet, server.URL+path)
			var page map[string]any
			if err := json.Unmarshal(content, &page); err != nil || response.StatusCode != http.StatusOK {
				t.Fatalf("%s: %s: %s", path, response.Status, content)
			}
			list, ok := page[key].([]any)
			if !ok {
				t.Errorf("%s: %s is no list: %s", path, key, content)
			}
			for _, name := range list {
				all = append(all, name.(string))
			}
			path = ""
			if next := nextPage.FindStringSubmatch(response.Header.Get("Link")); next != nil {
				path = next[1]
			}
			if len(all) > 100 {
				t.Fatalf("no end of pages: %q", all)
			}
		}
		return all
	}
	expect := func(what string, got, want []string) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	expect("tags", paged("/v2/team/app/tags/list", "tags"), tags)
	expect("tags, one a page", paged("/v2/team/app/tags/list?n=1", "tags"), tags)
	expect("tags, two a page", paged("/v2/team/app/tags/list?n=2", "tags"), tags)
	expect("tags after the last", paged("/v2/team/app/tags/list?n=5&last=0.2.0", "tags"), nil)
	sorted := paged("/v2/_catalog", "repositories")
	slices.Sort(sorted)
	expect("repositories", sorted, repositories)
	sorted = paged("/v2/_catalog?n=1", "repositories")
	slices.Sort(sorted)
	expect("repositories, one a page", sorted, repositories)
	sorted = paged("/v2/_catalog?n=1000000000", "repositories")
	slices.Sort(sorted)
	expect("repositories, a billion a page", sorted, repositories)
	expect("tags, a billion a page", paged("/v2/team/app/tags/list?n=1000000000", "tags"), tags)

	for _, tag := range []string{"0.1", "0.1.200", "none"} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			if response, content := answer(t, method, server.URL+"/v2/team/app/manifests/"+tag); response.StatusCode != http.StatusNotFound {
				t.Errorf("%s of the absent tag %s: %s: %s", method, tag, response.Status, content)
			}
		}
	}
	none := digest.FromString("none").String()
	for path, code := range map[string]string{
		"team/app/manifests/" + none:  "MANIFEST_UNKNOWN",
		"team/app/blobs/" + none:      "BLOB_UNKNOWN",
		"team/ap/manifests/" + none:   "",
		"team/ap/manifests/0.1.2":     "",
		"team/ap/blobs/" + none:       "BLOB_UNKNOWN",
		"team/app-ex/manifests/0.1.2": "",
	} {
		response, content := answer(t, http.MethodDelete, server.URL+"/v2/"+path)
		if response.StatusCode != http.StatusNotFound || !strings.Contains(string(content), code) {
			t.Errorf("deletion of the absent %s: %s: %s", path, response.Status, content)
		}
	}
	if response, content := answer(t, http.MethodGet, server.URL+"/v2/team/ap/tags/list"); response.StatusCode != http.StatusNotFound || !strings.Contains(string(content), `"NAME_UNKNOWN"`) {
		t.Errorf("tags of an absent repository: %s: %s", response.Status, content)
	}
	server.Delete(t, "team/app", "0.1.2")
	expect("tags without one that another begins with", paged("/v2/team/app/tags/list", "tags"), tags[1:])
	for _, tag := range tags[1:] {
		server.Delete(t, "team/app", tag)
	}
	expect("no tags", paged("/v2/team/app/tags/list", "tags"), nil)
	expect("tags of one whose name begins with it", paged("/v2/team/app-extra/tags/list", "tags"), []string{"latest"})
}

var nextPage = regexp.MustCompile(`^<([^>]*)>; rel="next"$`)

func answer(t *testing.T, method, url string) (*http.Response, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", v1.MediaTypeImageManifest)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, content
}
