package guard

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"

	"container-registry/server/internal/registrytest"
)

// TestDiskThatAPushFills has room again once that push has failed, whether the disk is full in the
// middle of a layer or at its end.
func TestDiskThatAPushFills(t *testing.T) {
	disk := t.TempDir()
	registrytest.SmallDisk(t, disk, "size=3m,nr_inodes=200")
	g, driver, _ := guarded(filesystem.New(filesystem.DriverParameters{RootDirectory: disk, MaxThreads: 100}))
	server := httptest.NewServer(g.Handler(handlers.NewApp(t.Context(), registrytest.Config(t, driver))))
	t.Cleanup(server.Close)
	client := registrytest.Client{URL: server.URL}
	send := func(method, url string, length int) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(make([]byte, length)))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/octet-stream")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response
	}
	t.Run("at the note of how far it got", func(t *testing.T) {
		location := send(http.MethodPost, server.URL+"/v2/big/blobs/uploads/", 0).Header.Get("Location")
		// There is room for the layer, and for no other file.
		var others []string
		for {
			other := filepath.Join(disk, fmt.Sprint("other", len(others)))
			if err := os.WriteFile(other, nil, 0o600); err != nil {
				break
			}
			others = append(others, other)
		}
		send(http.MethodPatch, location, 1000)
		if left, _ := filepath.Glob(filepath.Join(disk, "docker/registry/v2/repositories/big/_uploads/*/data")); len(left) > 0 {
			t.Errorf("left is %q", left)
		}
		for _, other := range others {
			if err := os.Remove(other); err != nil {
				t.Fatal(err)
			}
		}
	})
	for name, lengths := range map[string][]int{"one request": {5 << 20}, "a later chunk": {1 << 20, 1 << 20, 5 << 20}} {
		t.Run(name, func(t *testing.T) {
			location := send(http.MethodPost, server.URL+"/v2/big/blobs/uploads/", 0).Header.Get("Location")
			for i, length := range lengths {
				response := send(http.MethodPatch, location, length)
				if taken := response.StatusCode == http.StatusAccepted; taken == (i == len(lengths)-1) {
					t.Fatalf("piece %d was answered %s", i, response.Status)
				} else if taken {
					location = response.Header.Get("Location")
				}
			}
			address, err := url.Parse(location)
			if err != nil {
				t.Fatal(err)
			}
			if status := client.Status(t, http.MethodGet, address.RequestURI()); status != http.StatusNotFound {
				t.Errorf("the upload that failed answers %d", status)
			}
			if left, _ := filepath.Glob(filepath.Join(disk, "docker/registry/v2/repositories/big/_uploads/*/data")); len(left) > 0 {
				t.Errorf("left is %q", left)
			}
			client.Push(t, "small", "1", registrytest.Layer(1, 400_000))
		})
	}
}
