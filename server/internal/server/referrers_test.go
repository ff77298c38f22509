package server

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"container-registry/server/internal/registrytest"

	"github.com/opencontainers/go-digest"
)

// TestWhoMayList asks for referrers as everybody who may and may not pull.
func TestWhoMayList(t *testing.T) {
	none := digest.FromString("nothing").String()
	for _, test := range []struct {
		users, path, login string
		want               int
	}{
		{"", "team/app", "alice:wonder", http.StatusOK},
		{"", "team/app", "", http.StatusUnauthorized},
		{"", "team/app", "alice:wrong", http.StatusUnauthorized},
		{"#!access alice pull team/*\n", "team/app", "alice:wonder", http.StatusOK},
		{"#!access alice pull team/*\n", "other/app", "alice:wonder", http.StatusForbidden},
		{"#!anonymous pull public/*\n", "public/app", "", http.StatusOK},
		{"#!anonymous pull public/*\n", "team/app", "", http.StatusUnauthorized},
	} {
		file := htpasswd(t, "alice", "wonder")
		hash, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, append(hash, test.users...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		i := start(t, registrytest.Parse(t, inMemory+"auth: {htpasswd: {realm: registry, path: "+file+"}}\nhttp: {headers: {X-Given: [yes]}}\n"), &http.Client{})
		request, err := http.NewRequest(http.MethodGet, i.base+"/v2/"+test.path+"/referrers/"+none, nil)
		if err != nil {
			t.Fatal(err)
		}
		if name, password, ok := strings.Cut(test.login, ":"); ok {
			request.SetBasicAuth(name, password)
		}
		response, err := i.client.Do(request)
		if err == nil && strings.HasPrefix(response.Header.Get("WWW-Authenticate"), "Bearer ") {
			body(t, response)
			request.Header.Set("Authorization", "Bearer "+i.token(t, "repository:"+test.path+":pull"))
			response, err = i.client.Do(request)
		}
		if err != nil {
			t.Fatal(err)
		}
		text := body(t, response)
		challenged := response.Header.Get("WWW-Authenticate") != ""
		if response.StatusCode != test.want || challenged != (test.want == http.StatusUnauthorized) || response.Header.Get("X-Given") != "yes" {
			t.Errorf("%s as %q with %q: %s %v %s", test.path, test.login, test.users, response.Status, response.Header, text)
		}
		i.stop()
	}
}

// token is one for who has no login.
func (i *instance) token(t *testing.T, scope string) string {
	t.Helper()
	var answer struct{ Token string }
	if err := json.Unmarshal(body(t, i.do(t, http.MethodGet, "/v2/auth?scope="+scope, nil)), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Token
}
