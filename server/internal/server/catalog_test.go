package server

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"container-registry/server/internal/registrytest"
)

// TestCatalogOfUser passes by what its user may not pull, through all that stands before the
// engine.
func TestCatalogOfUser(t *testing.T) {
	folder, users := t.TempDir(), htpasswd(t, "alice", "wonder")
	for _, name := range []string{"alpha/app", "team/app", "zulu/app"} {
		if err := os.MkdirAll(filepath.Join(folder, "docker/registry/v2/repositories", name, "_manifests/tags/1/current"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	hash, err := os.ReadFile(users)
	if err == nil {
		err = os.WriteFile(users, append(hash, "#!access alice pull team/*\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+folder+"}}\nauth: {htpasswd: {realm: registry, path: "+users+"}}\n"), &http.Client{})
	for path, want := range map[string]string{
		"/v2/_catalog":           `{"repositories":["team/app"]}`,
		"/v2/_catalog?last=team": `{"repositories":["team/app"]}`,
		"/v2/_catalog?last=zulu": `{"repositories":[]}`,
	} {
		request, err := http.NewRequest(http.MethodGet, i.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth("alice", "wonder")
		response, err := i.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if text := string(body(t, response)); response.StatusCode != http.StatusOK || text != want+"\n" {
			t.Errorf("%s: %s %s", path, response.Status, text)
		}
	}
}

// TestFullPage ends at a repository whose own folders come after another one below it.
func TestFullPage(t *testing.T) {
	i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+t.TempDir()+"}}\n"), &http.Client{})
	for _, name := range []string{"app", "app/1"} {
		registrytest.Client{URL: i.base}.Push(t, name, "1", []byte("layer"))
	}
	if text := string(body(t, i.do(t, http.MethodGet, "/v2/_catalog?n=1", nil))); text != `{"repositories":["app/1"]}`+"\n" {
		t.Error(text)
	}
}
