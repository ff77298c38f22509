package enginestore_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/enginestore"
	"container-registry/server/internal/registrytest"
)

// TestPagesOfRepositories expects all repositories, whatever the pages' size: a repository may have others
// below it whose names come before its own folders.
func TestPagesOfRepositories(t *testing.T) {
	for name, driver := range map[string]storagedriver.StorageDriver{
		"folder": filesystem.New(filesystem.DriverParameters{RootDirectory: t.TempDir(), MaxThreads: 100}),
		"memory": inmemory.New(),
	} {
		t.Run(name, func(t *testing.T) {
			config := registrytest.Config(t, driver)
			enginestore.Use(config)
			client := registrytest.Serve(t, config)
			repositories := []string{"app", "app/1", "app/2", "app/2/3", "app/b", "other/1", "other/x/1.0", "zed"}
			for _, each := range repositories {
				client.Push(t, each, "latest", registrytest.Layer(1, 100))
			}
			for n := 1; n <= len(repositories)+1; n++ {
				got, pages := allPages(t, client.URL+"/v2/_catalog", n)
				slices.Sort(got)
				if !slices.Equal(got, repositories) || pages != (len(repositories)+n-1)/n {
					t.Errorf("%d at a time: %d pages: %q", n, pages, got)
				}
			}
		})
	}
}

// allPages are the names of a list that is requested in pages of n.
func allPages(t *testing.T, list string, n int) (names []string, pages int) {
	t.Helper()
	last := ""
	for more := true; more; pages++ {
		page, link := onePage(t, list+"?"+url.Values{"n": {fmt.Sprint(n)}, "last": {last}}.Encode())
		names, more = append(names, page...), link != ""
		if more {
			last = page[len(page)-1]
		}
	}
	return names, pages
}

func onePage(t *testing.T, url string) (names []string, link string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var page struct{ Repositories, Tags []string }
	if err := json.NewDecoder(response.Body).Decode(&page); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %v", strings.TrimPrefix(url, "http://"), response.Status, err)
	}
	return append(page.Repositories, page.Tags...), response.Header.Get("Link")
}
