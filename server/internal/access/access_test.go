package access

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"container-registry/server/internal/registrytest"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"
)

func TestMain(m *testing.M) {
	logrus.SetOutput(io.Discard)
	os.Exit(m.Run())
}

const manifestType = "application/vnd.oci.image.manifest.v1+json"

// registry is the engine behind a controller, and the file of its users.
type registry struct {
	*httptest.Server
	file string
	log  *bytes.Buffer
}

func start(t testing.TB, users, options string) *registry {
	t.Helper()
	r := &registry{file: filepath.Join(t.TempDir(), "htpasswd"), log: &bytes.Buffer{}}
	r.write(t, users)
	config, err := configuration.Parse(strings.NewReader(fmt.Sprintf(`
version: 0.1
storage: {inmemory: {}, delete: {enabled: true}}
auth: {htpasswd: {realm: test, path: %q%s}}
http: {headers: {X-Test: [given]}}
catalog: {maxentries: 5}
`, r.file, options)))
	if err != nil {
		t.Fatal(err)
	}
	log := logrus.New()
	log.SetOutput(r.log)
	c, err := New(config, logrus.NewEntry(log))
	if err != nil {
		t.Fatal(err)
	}
	app := handlers.NewApp(context.Background(), config)
	r.Server = httptest.NewTLSServer(c.Handler(app, app))
	t.Cleanup(r.Close)
	return r
}

func (r *registry) write(t testing.TB, users string) {
	t.Helper()
	if err := os.WriteFile(r.file, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
}

func user(t testing.TB, name, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return name + ":" + string(hash) + "\n"
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	text string
}

// code is the code of the error in the body, as clients show it.
func (a answer) code() string {
	var body struct {
		Errors []struct{ Code string }
	}
	if json.Unmarshal([]byte(a.text), &body) != nil || len(body.Errors) == 0 {
		return ""
	}
	return body.Errors[0].Code
}

// ask sends a request with "user:password", "Bearer token" or no credentials.
func (r *registry) ask(t testing.TB, method, path, credentials string) answer {
	t.Helper()
	return r.send(t, method, path, credentials, "", "")
}

func (r *registry) send(t testing.TB, method, path, credentials, contentType, content string) answer {
	t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = r.URL + path
	}
	request, err := http.NewRequest(method, path, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", manifestType)
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	if name, password, ok := strings.Cut(credentials, ":"); ok {
		request.SetBasicAuth(name, password)
	} else if credentials != "" {
		request.Header.Set("Authorization", credentials)
	}
	response, err := r.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response, string(text)}
}

// push makes a repository with a blob and a tag, and returns the digest of the blob.
func (r *registry) push(t testing.TB, repository, credentials string) digest.Digest {
	t.Helper()
	blob := "{}"
	d := digest.FromString(blob)
	upload := r.ask(t, http.MethodPost, "/v2/"+repository+"/blobs/uploads/", credentials)
	if upload.StatusCode != http.StatusAccepted {
		t.Fatalf("push to %s: %s %s", repository, upload.Status, upload.text)
	}
	put := r.send(t, http.MethodPut, upload.Header.Get("Location")+"&digest="+d.String(), credentials, "application/octet-stream", blob)
	if put.StatusCode != http.StatusCreated {
		t.Fatalf("push to %s: %s %s", repository, put.Status, put.text)
	}
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":2},"layers":[]}`, manifestType, d)
	if a := r.send(t, http.MethodPut, "/v2/"+repository+"/manifests/latest", credentials, manifestType, manifest); a.StatusCode != http.StatusCreated {
		t.Fatalf("push to %s: %s %s", repository, a.Status, a.text)
	}
	return d
}

func TestRoles(t *testing.T) {
	r := start(t, user(t, "admin", "a")+user(t, "reader", "r")+user(t, "team", "t")+
		"#!access reader pull\n#!access team push-pull team/*\n", "")
	blob := r.push(t, "team/app", "admin:a")
	r.push(t, "other/app", "admin:a")
	const unauthorized, denied = "UNAUTHORIZED", "DENIED"
	tests := []struct {
		method, path, credentials string
		status                    int
		code                      string
	}{
		{http.MethodGet, "/v2/", "", 401, unauthorized},
		{http.MethodGet, "/v2/", "admin:a", 200, ""},
		{http.MethodGet, "/v2/", "admin:wrong", 401, unauthorized},
		{http.MethodGet, "/v2/", "nobody:a", 401, unauthorized},
		{http.MethodGet, "/v2/", "Bearer abc", 401, unauthorized},
		{http.MethodGet, "/v2/", "Basic !", 401, unauthorized},
		{http.MethodGet, "/v2/team/app/manifests/latest", "", 401, unauthorized},
		{http.MethodGet, "/v2/team/app/manifests/latest", "reader:r", 200, ""},
		{http.MethodHead, "/v2/team/app/blobs/" + blob.String(), "reader:r", 200, ""},
		{http.MethodGet, "/v2/team/app/tags/list", "reader:r", 200, ""},
		{http.MethodPost, "/v2/team/app/blobs/uploads/", "reader:r", 403, denied},
		{http.MethodPut, "/v2/team/app/manifests/latest", "reader:r", 403, denied},
		{http.MethodPatch, "/v2/team/app/blobs/uploads/x", "reader:r", 403, denied},
		{http.MethodGet, "/v2/team/app/blobs/uploads/d95306fa-fad3-4e36-8d41-cf1c93ef8286", "reader:r", 403, denied},
		{http.MethodHead, "/v2/team/app/blobs/uploads/d95306fa-fad3-4e36-8d41-cf1c93ef8286", "reader:r", 403, denied},
		{http.MethodGet, "/v2/team/app/blobs/uploads/d95306fa-fad3-4e36-8d41-cf1c93ef8286", "team:t", 404, "BLOB_UPLOAD_UNKNOWN"},
		{http.MethodGet, "/v2/blobs/uploads/tags/list", "reader:r", 404, "NAME_UNKNOWN"},
		{http.MethodDelete, "/v2/team/app/manifests/latest", "reader:r", 403, denied},
		{http.MethodDelete, "/v2/team/app/blobs/" + blob.String(), "reader:r", 403, denied},
		{http.MethodGet, "/v2/team/app/manifests/latest", "team:t", 200, ""},
		{http.MethodPost, "/v2/team/new/blobs/uploads/", "team:t", 202, ""},
		{http.MethodGet, "/v2/other/app/manifests/latest", "team:t", 403, denied},
		{http.MethodGet, "/v2/no/such/manifests/latest", "team:t", 403, denied},
		{http.MethodPost, "/v2/other/app/blobs/uploads/", "team:t", 403, denied},
		{http.MethodGet, "/v2/no/such/manifests/latest", "admin:a", 404, "MANIFEST_UNKNOWN"},
		{http.MethodGet, "/v2/auth", "admin:a", 404, ""},
		{http.MethodDelete, "/v2/team/app/manifests/latest", "team:t", 202, ""},
	}
	for _, test := range tests {
		a := r.ask(t, test.method, test.path, test.credentials)
		if a.StatusCode != test.status || (test.method != http.MethodHead && a.code() != test.code) {
			t.Errorf("%s %s as %q: %s %s, want %d %s", test.method, test.path, test.credentials, a.Status, a.text, test.status, test.code)
		}
		if challenged := a.Header.Get("WWW-Authenticate") == `Basic realm="test"`; challenged != (test.status == 401) {
			t.Errorf("%s %s as %q: challenge %q", test.method, test.path, test.credentials, a.Header.Get("WWW-Authenticate"))
		}
		if strings.HasPrefix(test.path, "/v2/") && test.path != "/v2/auth" && (a.Header.Get("X-Test") != "given" || len(a.Header.Values("Docker-Distribution-API-Version")) != 1) {
			t.Errorf("%s %s as %q: headers %v", test.method, test.path, test.credentials, a.Header)
		}
	}
}

// TestAs has requests of which the page knows whose they are.
func TestAs(t *testing.T) {
	users := "#!access reader pull team/*\n" + user(t, "reader", "r") + user(t, "writer", "w")
	r := start(t, users, "")
	r.push(t, "team/app", "writer:w")
	handler := r.Config.Handler
	for _, test := range []struct {
		as, method, path string
		want             int
	}{
		{"reader", http.MethodGet, "/v2/team/app/tags/list", http.StatusOK},
		{"reader", http.MethodGet, "/v2/other/app/tags/list", http.StatusForbidden},
		{"reader", http.MethodDelete, "/v2/team/app/manifests/latest", http.StatusForbidden},
		{"nobody", http.MethodGet, "/v2/team/app/tags/list", http.StatusUnauthorized},
		{"", http.MethodGet, "/v2/team/app/tags/list", http.StatusUnauthorized},
	} {
		w := httptest.NewRecorder()
		request := httptest.NewRequest(test.method, test.path, nil)
		handler.ServeHTTP(w, request.WithContext(As(request.Context(), test.as)))
		if w.Code != test.want {
			t.Errorf("%s %s as %q: %d, want %d", test.method, test.path, test.as, w.Code, test.want)
		}
	}
}

func TestTooManyFailures(t *testing.T) {
	r := start(t, user(t, "alice", "a")+user(t, "bob", "b")+user(t, "carol", "c")+"#!anonymous pull public/*\n", ", limit: {failures: 3, window: 1h}")
	if a := r.ask(t, http.MethodGet, "/v2/", "alice:a"); a.StatusCode != 200 {
		t.Fatal(a.Status)
	}
	for i := range 3 {
		for _, user := range []string{"alice", "bob", "nobody"} {
			if a := r.ask(t, http.MethodGet, "/v2/", fmt.Sprintf("%s:%d", user, i)); a.StatusCode != 401 {
				t.Fatal(a.Status)
			}
		}
	}
	if a := r.ask(t, http.MethodGet, "/v2/", "nobody:b"); a.StatusCode != 429 {
		t.Errorf("the answer tells who is a user: %s", a.Status)
	}
	for _, path := range []string{"/v2/", "/v2/team/app/manifests/latest", "/v2/_catalog", "/v2/auth"} {
		a := r.ask(t, http.MethodGet, path, "bob:b")
		if a.StatusCode != 429 || a.code() != "TOOMANYREQUESTS" || a.Header.Get("Retry-After") != "3600" {
			t.Errorf("%s: %s %s, Retry-After %q", path, a.Status, a.text, a.Header.Get("Retry-After"))
		}
		if !strings.Contains(a.text, "too many failed logins from this address; try again in 1h0m0s") {
			t.Errorf("%s: %s", path, a.text)
		}
		if a := r.ask(t, http.MethodGet, path, "alice:a"); a.StatusCode == 429 {
			t.Errorf("%s: a user who was known before is locked out", path)
		}
		if a := r.ask(t, http.MethodGet, path, "carol:c"); a.StatusCode == 429 {
			t.Errorf("%s: a user is locked out by the failures of another one", path)
		}
	}
}

func TestRefusalsAreLogged(t *testing.T) {
	r := start(t, user(t, "alice", "a"), "")
	r.ask(t, http.MethodGet, "/v2/", "alice:hunter2")
	r.ask(t, http.MethodGet, "/v2/", "hunter2:alice")
	for _, want := range []string{`login refused: wrong password" address="127.0.0.1:`, "user=alice", "login refused: unknown user"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("%q is not in %s", want, r.log)
		}
	}
	if strings.Contains(r.log.String(), "hunter2") {
		t.Errorf("logged: %s", r.log)
	}
}

func TestChangeIsInForceAtOnce(t *testing.T) {
	r := start(t, user(t, "alice", "old"), "")
	steps := []struct {
		users       string
		credentials string
		want        int
	}{
		{"", "alice:old", 200},
		{user(t, "alice", "old") + user(t, "alice", "new"), "alice:new", 200},
		{"", "alice:old", 200},
		{user(t, "alice", "new"), "alice:old", 401},
		{"", "alice:new", 200},
		{user(t, "alice", "new") + "#!access alice pull\n", "alice:new", 200},
		{user(t, "bob", "b"), "alice:new", 401},
		{"", "bob:b", 200},
	}
	for i, step := range steps {
		if step.users != "" {
			r.write(t, step.users)
		}
		if a := r.ask(t, http.MethodGet, "/v2/", step.credentials); a.StatusCode != step.want {
			t.Errorf("step %d, %s: %s, want %d", i, step.credentials, a.Status, step.want)
		}
	}
}

// TestMount tries to get hold of a blob by mounting it from where one may not look.
func TestMount(t *testing.T) {
	r := start(t, user(t, "admin", "a")+user(t, "team", "t")+"#!access team push-pull team/*\n#!access team pull base/*\n", "")
	secret := r.push(t, "secret/app", "admin:a")
	r.push(t, "base/app", "admin:a")
	tests := []struct {
		name, from, credentials string
		status                  int
	}{
		{"from where it may pull", "base/app", "team:t", 201},
		{"from where it may not", "secret/app", "team:t", 202},
		{"from where nothing is", "secret/none", "team:t", 202},
		{"by an administrator", "secret/app", "admin:a", 201},
	}
	for i, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			into := fmt.Sprintf("team/target%d", i)
			query := url.Values{"mount": {secret.String()}, "from": {test.from}}.Encode()
			a := r.ask(t, http.MethodPost, "/v2/"+into+"/blobs/uploads/?"+query, test.credentials)
			if a.StatusCode != test.status {
				t.Fatalf("%s %s, want %d", a.Status, a.text, test.status)
			}
			if n := len(a.Header.Values("Docker-Distribution-API-Version")); n != 1 {
				t.Errorf("the header is there %d times", n)
			}
			mounted := r.ask(t, http.MethodHead, "/v2/"+into+"/blobs/"+secret.String(), "admin:a").StatusCode == 200
			if mounted != (test.status == 201) {
				t.Errorf("mounted: %v", mounted)
			}
		})
	}
	t.Run("in a form", func(t *testing.T) {
		form := url.Values{"mount": {secret.String()}, "from": {"secret/app"}}.Encode()
		a := r.send(t, http.MethodPost, "/v2/team/form/blobs/uploads/", "team:t", "application/x-www-form-urlencoded", form)
		if a.StatusCode != 403 || a.code() != "DENIED" {
			t.Errorf("%s %s", a.Status, a.text)
		}
		a = r.send(t, http.MethodPost, "/v2/team/form/blobs/uploads/?from=secret/app&mount="+secret.String(), "team:t", "application/x-www-form-urlencoded", form)
		if a.StatusCode == 201 || r.ask(t, http.MethodHead, "/v2/team/form/blobs/"+secret.String(), "admin:a").StatusCode == 200 {
			t.Errorf("mounted: %s %s", a.Status, a.text)
		}
	})
	t.Run("into where it may not push", func(t *testing.T) {
		a := r.ask(t, http.MethodPost, "/v2/base/app/blobs/uploads/?from=secret/app&mount="+secret.String(), "team:t")
		if a.StatusCode != 403 || a.code() != "DENIED" {
			t.Errorf("%s %s", a.Status, a.text)
		}
	})
}

func TestCatalog(t *testing.T) {
	r := start(t, user(t, "admin", "a")+user(t, "team", "t")+user(t, "none", "n")+user(t, "reader", "r")+
		"#!access team push-pull team/*\n#!access none pull nothing/*\n#!access reader pull\n", "")
	var all, team []string
	for i := range 12 {
		for _, group := range []string{"alpha", "team", "zulu"} {
			all = append(all, fmt.Sprintf("%s/r%02d", group, i))
		}
		team = append(team, fmt.Sprintf("team/r%02d", i))
	}
	slices.Sort(all)
	for _, repository := range all {
		r.push(t, repository, "admin:a")
	}
	tests := []struct {
		name, credentials, query string
		want                     []string
	}{
		{"everything", "admin:a", "?n=5", all},
		{"everything to a reader", "reader:r", "?n=5", all},
		{"a team", "team:t", "?n=5", team},
		{"a team in small pages", "team:t", "?n=1", team},
		{"a team in pages that divide it", "team:t", "?n=4", team},
		{"from the middle", "team:t", "?n=5&last=team/r05", team[6:]},
		{"without a length", "team:t", "", team},
		{"nothing", "none:n", "?n=5", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			path := "/v2/_catalog" + test.query
			for pages := 0; path != ""; pages++ {
				if pages > len(all)+1 {
					t.Fatal("pages without end")
				}
				a := r.ask(t, http.MethodGet, path, test.credentials)
				var page catalog
				if err := json.Unmarshal([]byte(a.text), &page); err != nil || a.StatusCode != 200 || page.Repositories == nil {
					t.Fatalf("%s %s", a.Status, a.text)
				}
				got = append(got, page.Repositories...)
				path = ""
				if link, _, ok := strings.Cut(strings.TrimPrefix(a.Header.Get("Link"), "<"), ">"); ok {
					path = link
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	for path, want := range map[string]int{"/v2/_catalog?n=-1": 400, "/v2/_catalog?n=6": 400, "/v2/_catalog?n=0": 200, "/v2/_catalog/": 200, "/v2//_catalog": 200, "/v2/%5fcatalog": 200} {
		a := r.ask(t, http.MethodGet, path, "team:t")
		if a.StatusCode != want || strings.Contains(a.text, "alpha") {
			t.Errorf("%s: %s %s", path, a.Status, a.text)
		}
	}
	if a := r.ask(t, http.MethodGet, "/v2/_catalog", ""); a.StatusCode != 401 {
		t.Errorf("without login: %s", a.Status)
	}
}

// token asks the endpoint named in a challenge, as clients do.
func (r *registry) token(t testing.TB, challenge, credentials string) (string, answer) {
	t.Helper()
	parameters := map[string]string{}
	for _, part := range strings.Split(strings.TrimPrefix(challenge, "Bearer "), `",`) {
		name, value, _ := strings.Cut(part, "=")
		parameters[name] = strings.Trim(value, `"`)
	}
	query := url.Values{"service": {parameters["service"]}}
	if scope := parameters["scope"]; scope != "" {
		query["scope"] = []string{scope}
	}
	a := r.ask(t, http.MethodGet, parameters["realm"]+"?"+query.Encode(), credentials)
	var got tokenAnswer
	if a.StatusCode == 200 {
		if err := json.Unmarshal([]byte(a.text), &got); err != nil || got.Token == "" || got.Token != got.AccessToken || got.ExpiresIn < 60 {
			t.Fatalf("token: %s", a.text)
		}
	}
	return got.Token, a
}

// TestAnonymous goes through the dance of a client with a token.
func TestAnonymous(t *testing.T) {
	users := user(t, "admin", "a") + user(t, "reader", "r") + user(t, "team", "t") +
		"#!access reader pull\n#!access team push-pull team/*\n#!anonymous pull public/*\n"
	r := start(t, users, "")
	r.push(t, "public/app", "admin:a")
	r.push(t, "secret/app", "admin:a")
	tests := []struct {
		name, method, path, credentials string
		status                          int // of the request with the token
		code                            string
	}{
		{"ping", http.MethodGet, "/v2/", "", 200, ""},
		{"ping as a user", http.MethodGet, "/v2/", "admin:a", 200, ""},
		{"pull", http.MethodGet, "/v2/public/app/manifests/latest", "", 200, ""},
		{"pull as a user", http.MethodGet, "/v2/public/app/manifests/latest", "admin:a", 200, ""},
		{"pull what is not public", http.MethodGet, "/v2/secret/app/manifests/latest", "", 401, "UNAUTHORIZED"},
		{"the same as a user", http.MethodGet, "/v2/secret/app/manifests/latest", "admin:a", 200, ""},
		{"the same as a user who may not", http.MethodGet, "/v2/secret/app/manifests/latest", "team:t", 403, "DENIED"},
		{"pull as a user of other repositories", http.MethodGet, "/v2/public/app/manifests/latest", "team:t", 200, ""},
		{"push as a user of other repositories", http.MethodPost, "/v2/public/app/blobs/uploads/", "team:t", 403, "DENIED"},
		{"push", http.MethodPost, "/v2/public/app/blobs/uploads/", "", 401, "UNAUTHORIZED"},
		{"push as a user", http.MethodPost, "/v2/public/app/blobs/uploads/", "admin:a", 202, ""},
		{"push as a reader", http.MethodPost, "/v2/public/app/blobs/uploads/", "reader:r", 403, "DENIED"},
		{"delete", http.MethodDelete, "/v2/public/app/manifests/latest", "", 401, "UNAUTHORIZED"},
		{"catalog", http.MethodGet, "/v2/_catalog", "", 401, "UNAUTHORIZED"},
		{"catalog as a user", http.MethodGet, "/v2/_catalog", "admin:a", 200, ""},
		{"delete as a user", http.MethodDelete, "/v2/public/app/manifests/latest", "admin:a", 202, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := r.ask(t, test.method, test.path, "")
			challenge := a.Header.Get("WWW-Authenticate")
			if a.StatusCode != 401 || !strings.HasPrefix(challenge, fmt.Sprintf(`Bearer realm="%s/v2/auth",service="test"`, r.URL)) {
				t.Fatalf("without token: %s, challenge %s", a.Status, challenge)
			}
			token, a := r.token(t, challenge, test.credentials)
			if token == "" {
				t.Fatalf("no token: %s %s", a.Status, a.text)
			}
			a = r.ask(t, test.method, test.path, "Bearer "+token)
			if a.StatusCode != test.status || a.code() != test.code {
				t.Errorf("with token: %s %s", a.Status, a.text)
			}
			if test.status == 401 && !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`) {
				t.Errorf("challenge %s", a.Header.Get("WWW-Authenticate"))
			}
		})
	}
	t.Run("a password instead of a token", func(t *testing.T) {
		if a := r.ask(t, http.MethodGet, "/v2/secret/app/tags/list", "admin:a"); a.StatusCode != 200 {
			t.Errorf("%s %s", a.Status, a.text)
		}
	})
	challenge := r.ask(t, http.MethodGet, "/v2/secret/app/manifests/latest", "").Header.Get("WWW-Authenticate")
	t.Run("a wrong password", func(t *testing.T) {
		if token, a := r.token(t, challenge, "admin:wrong"); token != "" || a.StatusCode != 401 || a.code() != "UNAUTHORIZED" {
			t.Errorf("%s %s", a.Status, a.text)
		}
	})
	t.Run("a POST", func(t *testing.T) {
		if a := r.send(t, http.MethodPost, "/v2/auth", "", "application/x-www-form-urlencoded", "grant_type=password&username=admin&password=a"); a.StatusCode != 405 || a.Header.Get("Allow") != "GET" {
			t.Errorf("%s, Allow %q", a.Status, a.Header.Get("Allow"))
		}
	})
	t.Run("a token that no header holds", func(t *testing.T) {
		for _, test := range []struct{ count, different, want int }{{50, 50, 200}, {300, 50, 200}, {300, 300, 400}} {
			var scopes []string
			for i := range test.count {
				scopes = append(scopes, fmt.Sprintf("repository:public/a-long-name-of-%d:pull", i%test.different))
			}
			_, a := r.token(t, strings.Replace(challenge, "repository:secret/app:pull", strings.Join(scopes, " "), 1), "")
			if a.StatusCode != test.want || test.want == 400 && !strings.Contains(a.text, "leave no room in a header of 16 KiB") || len(a.text) > 26<<10 {
				t.Errorf("%v: %s, %d bytes", test, a.Status, len(a.text))
			}
		}
	})
	t.Run("a token for something else", func(t *testing.T) {
		token, _ := r.token(t, challenge, "admin:a")
		a := r.ask(t, http.MethodGet, "/v2/public/app/manifests/latest", "Bearer "+token)
		if a.StatusCode != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), `scope="repository:public/app:pull",error="insufficient_scope"`) {
			t.Errorf("%s, challenge %s", a.Status, a.Header.Get("WWW-Authenticate"))
		}
	})
	t.Run("a token of former users", func(t *testing.T) {
		token, _ := r.token(t, challenge, "admin:a")
		if a := r.ask(t, http.MethodGet, "/v2/secret/app/manifests/latest", "Bearer "+token); a.StatusCode != 200 {
			t.Fatal(a.Status)
		}
		r.write(t, strings.Replace(users, "admin:", "chief:", 1))
		a := r.ask(t, http.MethodGet, "/v2/secret/app/manifests/latest", "Bearer "+token)
		if a.StatusCode != 401 || !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s, challenge %s", a.Status, a.Header.Get("WWW-Authenticate"))
		}
	})
}

// TestTokenOutlivesChange changes the users in the middle of a transfer, as clients get no other
// token then: Docker calls it failed.
func TestTokenOutlivesChange(t *testing.T) {
	pusher, admin, kept, other := user(t, "pusher", "p"), user(t, "admin", "a"), user(t, "admin", "kept"), user(t, "other", "o")
	const public = "#!anonymous pull public/*\n"
	for _, test := range []struct {
		name, before, credentials, after string
		status                           int
	}{
		{"another user comes", admin + public, "admin:a", admin + other + public, 200},
		{"another user goes", admin + other + public, "admin:a", admin + public, 200},
		{"a new password comes beside the old one", admin + public, "admin:a", kept + admin + public, 200},
		{"the old password goes", kept + admin + public, "admin:kept", kept + public, 200},
		{"and a token of it", kept + admin + public, "admin:a", kept + public, 401},
		{"another password", admin + public, "admin:a", kept + public, 401},
		{"the user goes", admin + other + public, "admin:a", other + public, 401},
		{"the user may less", admin + public, "admin:a", admin + "#!access admin pull team/*\n#!anonymous pull\n", 200},
		{"the user may nothing there", admin + public, "admin:a", admin + "#!access admin pull team/*\n#!anonymous pull team/*\n", 403},
		{"no more pulls without a login", admin + public, "admin:a", admin, 200},
		{"another user comes, without a login", admin + public, "", admin + other + public, 200},
		{"everybody may less, without a login", admin + public, "", admin + "#!anonymous pull team/*\n", 401},
		{"no more pulls, without a login", admin + public, "", admin, 401},
	} {
		t.Run(test.name, func(t *testing.T) {
			const path = "/v2/public/app/manifests/latest"
			r := start(t, pusher+test.before, "")
			r.push(t, "public/app", "pusher:p")
			token, _ := r.token(t, r.ask(t, http.MethodGet, path, "").Header.Get("WWW-Authenticate"), test.credentials)
			if a := r.ask(t, http.MethodGet, path, "Bearer "+token); a.StatusCode != 200 {
				t.Fatalf("before: %s %s", a.Status, a.text)
			}
			r.write(t, pusher+test.after)
			if a := r.ask(t, http.MethodGet, path, "Bearer "+token); a.StatusCode != test.status {
				t.Errorf("after: %s %s, want %d", a.Status, a.text, test.status)
			}
		})
	}
}

func TestTokenURL(t *testing.T) {
	tests := []struct {
		name, host string
		change     func(*http.Request)
		want       string
	}{
		{"as asked", "", func(*http.Request) {}, "http://registry.example.com:5000/v2/auth"},
		{"behind a proxy", "", func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }, "https://registry.example.com:5000/v2/auth"},
		{"behind a proxy that keeps no host", "", func(r *http.Request) {
			r.Header.Set("X-Forwarded-Proto", "https")
			r.Header.Set("X-Forwarded-Host", "hub.example.com, proxy.internal")
		}, "https://hub.example.com/v2/auth"},
		{"behind one that speaks RFC 7239", "", func(r *http.Request) {
			r.Header.Set("Forwarded", `for=10.0.0.1;proto=https;host="hub.example.com"`)
		}, "https://hub.example.com/v2/auth"},
		{"behind one that says nothing of use", "", func(r *http.Request) {
			r.Header.Set("Forwarded", "for=10.0.0.1")
		}, "http://registry.example.com:5000/v2/auth"},
		{"as configured", "https://hub.example.com", func(*http.Request) {}, "https://hub.example.com/v2/auth"},
	}
	for _, test := range tests {
		r := httptest.NewRequest(http.MethodGet, "http://registry.example.com:5000/v2/", nil)
		test.change(r)
		if got := (&Controller{host: test.host, tokenPath: "/v2/auth"}).tokenURL(r); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestOptions(t *testing.T) {
	section := func(key string, value any) map[string]any {
		return map[string]any{"realm": "r", "path": "p", "cache": map[any]any{key: value}, "limit": map[any]any{key: value}}
	}
	tests := []struct {
		parameters map[string]any
		want       string
	}{
		{map[string]any{"realm": "r", "path": "p"}, ""},
		{map[string]any{"path": "p"}, "auth.htpasswd.realm: must be text"},
		{map[string]any{"realm": "r", "path": 3}, "auth.htpasswd.path: must be text"},
		{map[string]any{"realm": "r", "path": "p", "cache": 3}, "auth.htpasswd.cache: must be a section"},
		{section("size", "x"), "auth.htpasswd.cache.size: must be a whole number"},
		{section("ttl", "x"), "auth.htpasswd.cache.ttl: must be a duration"},
		{section("failures", "x"), "auth.htpasswd.limit.failures: must be a whole number"},
		{section("window", "x"), "auth.htpasswd.limit.window: must be a duration"},
	}
	for _, test := range tests {
		_, err := readOptions(test.parameters)
		if test.want == "" && err != nil || test.want != "" && (err == nil || err.Error() != test.want) {
			t.Errorf("%v: %v", test.parameters, err)
		}
	}
}

// TestWithoutHandler reaches the engine past the handler, which must not be a way in.
func TestWithoutHandler(t *testing.T) {
	r := start(t, user(t, "alice", "a"), "")
	config := registrytest.Parse(t, fmt.Sprintf("storage: {inmemory: {}}\nauth: {htpasswd: {realm: test, path: %q}}\n", r.file))
	if _, err := New(config, logrus.NewEntry(logrus.StandardLogger())); err != nil {
		t.Fatal(err)
	}
	request := httptest.NewRequest(http.MethodGet, "/v2/", nil)
	request.SetBasicAuth("alice", "a")
	w := httptest.NewRecorder()
	handlers.NewApp(context.Background(), config).ServeHTTP(w, request)
	if w.Code < 400 {
		t.Errorf("status %d", w.Code)
	}
}
