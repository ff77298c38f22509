package server

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
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
	i := start(t, parsed(t, "storage: {filesystem: {rootdirectory: "+folder+"}}\nauth: {htpasswd: {realm: registry, path: "+users+"}}\n"), &http.Client{})
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
