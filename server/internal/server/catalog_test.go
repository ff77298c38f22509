package server

import (
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"container-registry/server/internal/registrytest"
)

// TestCatalogOfUser skips what its user may not pull, through everything in front of the engine.
func TestCatalogOfUser(t *testing.T) {
	folder, users := t.TempDir(), htpasswd(t, "alice", "wonder")
	for _, name := range []string{"alpha/app", "team/app", "zulu/app"} {
		if err := os.MkdirAll(filepath.Join(folder, "docker/registry/v2/repositories", name, "_manifests/tags/1/current"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	addLine(t, users, "#!access alice pull team/*")
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

// TestFullPage ends at a repository whose own folders come after a repository below it.
func TestFullPage(t *testing.T) {
	i := start(t, registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+t.TempDir()+"}}\n"), &http.Client{})
	for _, name := range []string{"app", "app/1"} {
		registrytest.Client{URL: i.base}.Push(t, name, "1", []byte("layer"))
	}
	if text := string(body(t, i.do(t, http.MethodGet, "/v2/_catalog?n=1", nil))); text != `{"repositories":["app/1"]}`+"\n" {
		t.Error(text)
	}
}

// TestLists expects the same answer to HEAD, without content and limited to what its user may see, and an
// answer to clients that ask for more than there can be.
func TestLists(t *testing.T) {
	folder, users := t.TempDir(), htpasswd(t, "alice", "wonder")
	addLine(t, users, "#!access alice pull team/*")
	for _, name := range []string{"alpha/app", "team/app", "team/web"} {
		for _, tag := range []string{"1", "2"} {
			if err := os.MkdirAll(filepath.Join(folder, "docker/registry/v2/repositories", name, "_manifests/tags", tag, "current"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	i := start(t, registrytest.Parse(t, "http: {prefix: /p/}\nstorage: {filesystem: {rootdirectory: "+folder+"}}\nauth: {htpasswd: {realm: registry, path: "+users+"}}\n"), &http.Client{})
	ask := func(method, path string) (int, http.Header, string) {
		request, err := http.NewRequest(method, i.base+"/p/v2/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth("alice", "wonder")
		response, err := i.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text := string(body(t, response))
		response.Header.Del("Date")
		return response.StatusCode, response.Header, text
	}
	const repositories, tags = `{"repositories":["team/app","team/web"]}` + "\n", `{"name":"team/app","tags":["1","2"]}` + "\n"
	for path, want := range map[string]string{
		"_catalog":                                  repositories,
		"_catalog?n=1":                              `{"repositories":["team/app"]}` + "\n",
		"_catalog?n=99999999999999999999":           repositories,
		"team/app/tags/list":                        tags,
		"team/app/tags/list?n=1":                    `{"name":"team/app","tags":["1"]}` + "\n",
		"team/app/tags/list?n=99999999999999999999": tags,
	} {
		status, header, text := ask(http.MethodGet, path)
		if status != http.StatusOK || text != want {
			t.Errorf("%s: %d %s", path, status, text)
		}
		headStatus, headHeader, headText := ask(http.MethodHead, path)
		if headStatus != status || headText != "" || !reflect.DeepEqual(headHeader, header) {
			t.Errorf("HEAD %s: %d %v %q, and GET %v", path, headStatus, headHeader, headText, header)
		}
	}
	for _, path := range []string{"_catalog?n=-99999999999999999999", "team/app/tags/list?n=-99999999999999999999"} {
		if status, _, text := ask(http.MethodGet, path); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
	if status, header, _ := ask(http.MethodHead, "alpha/app/tags/list"); status == http.StatusOK {
		t.Errorf("what the user may not pull: %d %v", status, header)
	}
}

// addLine adds a line to a users' file.
func addLine(t *testing.T, file, line string) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, append(content, line+"\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
