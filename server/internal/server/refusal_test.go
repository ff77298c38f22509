package server

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"container-registry/server/internal/registrytest"
)

// TestRefusedFirst has a collection pause writers. A client without a login does not count as one, and causes
// no look into the store.
func TestRefusedFirst(t *testing.T) {
	folder := t.TempDir()
	i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+folder+"}}\nauth: {htpasswd: {realm: registry, path: "+
		htpasswd(t, "alice", "wonder")+"}}\n"), &http.Client{})
	sweeping := filepath.Join(folder, "container-registry-collection", "holder-other")
	if err := os.MkdirAll(filepath.Dir(sweeping), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sweeping, []byte(`{"name":"other","phase":"sweep"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, method, path, user string
	}{
		{"nobody uploads", http.MethodPost, "/v2/team/app/blobs/uploads/", ""},
		{"nobody mounts", http.MethodPost, "/v2/team/app/blobs/uploads/?mount=sha256:" + strings.Repeat("0", 64) + "&from=a", ""},
		{"nobody pushes", http.MethodPut, "/v2/team/app/manifests/1", ""},
		{"nobody asks", http.MethodHead, "/v2/team/app/manifests/1", ""},
		{"nobody lists", http.MethodGet, "/v2/_catalog", ""},
		{"a stranger uploads", http.MethodPost, "/v2/team/app/blobs/uploads/", "bob"},
	} {
		request, err := http.NewRequest(test.method, i.base+test.path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if test.user != "" {
			request.SetBasicAuth(test.user, "wonder")
		}
		response, err := i.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %s", test.name, response.Status)
		}
	}
}

// TestLongPaths are refused before a router looks at them, with a login or without.
func TestLongPaths(t *testing.T) {
	i := start(t, registrytest.Parse(t, inMemory+"auth: {htpasswd: {realm: registry, path: "+htpasswd(t, "alice", "wonder")+"}}\n"), &http.Client{})
	for _, test := range []struct{ path, want string }{
		{"/v2/" + strings.Repeat("a", 255) + "/manifests/sha512:" + strings.Repeat("0", 128), "UNAUTHORIZED"},
		{"/v2/" + strings.Repeat("a-", 7_000) + "!", "NAME_INVALID"},
		{"/ui/r/" + strings.Repeat("a-", 7_000), "NAME_INVALID"},
	} {
		response := i.do(t, http.MethodGet, test.path, nil)
		if got := string(body(t, response)); !strings.Contains(got, test.want) {
			t.Errorf("%d bytes: %s %s", len(test.path), response.Status, got)
		}
	}
}
