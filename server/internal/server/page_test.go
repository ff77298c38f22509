package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/crypto/bcrypt"

	"container-registry/server/internal/garbage"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/page"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// people are the users of a registry that has a page.
const people = "#!access bob push-pull team-b/*\n#!access carol pull team-a/*\n"

// browser keeps cookies, and sends the same headers as browsers do.
type browser struct {
	*http.Client
	server *httptest.Server
	at     *Server
	file   string
}

// browse starts a registry with a page. Its users' passwords are their names.
func browse(t testing.TB, config *configuration.Configuration, users string) *browser {
	t.Helper()
	return browseWith(t, config, users, func(*own) {})
}

// browseWith has more settings.
func browseWith(t testing.TB, config *configuration.Configuration, users string, set func(*own)) *browser {
	t.Helper()
	config.HTTP.Addr = "127.0.0.1:0"
	config.Log.AccessLog.Disabled = true
	file := filepath.Join(t.TempDir(), "htpasswd")
	if users != "" {
		writeUsers(t, file, users, "alice", "bob", "carol")
		limit := map[any]any{"failures": 3, "window": "1h"}
		config.Auth = configuration.Auth{"htpasswd": {"realm": "registry", "path": file, "limit": limit}}
	}
	section := own{}
	section.UI.Enabled = true
	set(&section)
	s, err := New(config, section, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	s.listener.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go s.holdings.Run(ctx)
	done := s.collect(ctx)
	server := httptest.NewServer(s.http.Handler)
	t.Cleanup(func() { server.Close(); cancel(); done.Wait() })
	return (&browser{server: server, at: s, file: file}).another(t)
}

func writeUsers(t testing.TB, file, rights string, names ...string) {
	t.Helper()
	for _, name := range names {
		hash, err := bcrypt.GenerateFromPassword([]byte(name), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		rights += name + ":" + string(hash) + "\n"
	}
	if err := os.WriteFile(file, []byte(rights), 0o600); err != nil {
		t.Fatal(err)
	}
}

// another is a browser without a login at the same registry.
func (b *browser) another(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &browser{client, b.server, b.at, b.file}
}

// as is a browser in which somebody is logged in.
func (b *browser) as(t testing.TB, user string) *browser {
	t.Helper()
	other := b.another(t)
	if page := other.post(t, "/ui/login", url.Values{"user": {user}, "password": {user}}); page.status != http.StatusSeeOther {
		t.Fatalf("login: %d: %s", page.status, page.text)
	}
	return other
}

// client is a client of the API that acts as a user.
func (b *browser) client(t *testing.T, user string) registrytest.Client {
	t.Helper()
	handler := b.server.Config.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.SetBasicAuth(user, user)
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return registrytest.Client{URL: server.URL}
}

// host is the name by which browsers reach the registry.
func (b *browser) host() string { return strings.TrimPrefix(b.server.URL, "http://") }

// answer is what a browser got.
type answer struct {
	status   int
	header   http.Header
	text     string
	location string
}

func (b *browser) get(t testing.TB, path string) answer {
	t.Helper()
	return b.send(t, http.MethodGet, path, nil, nil)
}

func (b *browser) post(t testing.TB, path string, form url.Values) answer {
	t.Helper()
	return b.send(t, http.MethodPost, path, form, http.Header{"Sec-Fetch-Site": {"same-origin"}})
}

func (b *browser) send(t testing.TB, method, path string, form url.Values, header http.Header) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, values := range header {
		r.Header[name] = values
	}
	response, err := b.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text), response.Header.Get("Location")}
}

// contains fails unless a page has all of these texts, and none of those that begin with "not ".
func (a answer) contains(t *testing.T, texts ...string) {
	t.Helper()
	for _, each := range texts {
		without, not := strings.CutPrefix(each, "not ")
		if strings.Contains(a.text, without) == not {
			t.Errorf("%s: it is %t that the page has it:\n%s", each, not, a.text)
		}
	}
}

func pageConfig(t *testing.T) *configuration.Configuration {
	return registrytest.Parse(t, "http: {secret: abc}\nstorage: {filesystem: {rootdirectory: "+t.TempDir()+"}, delete: {enabled: true}}\n")
}

func TestPageEntrance(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	if page := b.get(t, "/"); page.status != http.StatusSeeOther || page.location != "/ui/" {
		t.Errorf("a browser at /: %d, %s", page.status, page.location)
	}
	if page := b.send(t, http.MethodGet, "/", nil, http.Header{"Accept": {"*/*"}}); page.status != http.StatusOK || page.text != "" {
		t.Errorf("a load balancer at /: %d", page.status)
	}
	if page := b.get(t, "/ui/r/team-a/app?page=2"); page.location != "/ui/login?to="+url.QueryEscape("/ui/r/team-a/app?page=2") {
		t.Errorf("to %s", page.location)
	}
	// A form that comes after the end of its session leads back to where it was sent from.
	for path, test := range map[string]struct {
		form url.Values
		want string
	}{
		"delete":  {url.Values{"repository": {"team-a/app"}, "tag": {"1"}}, "?to=" + url.QueryEscape("/ui/r/team-a/app")},
		"preview": {url.Values{}, "?to=" + url.QueryEscape("/ui/cleanup")},
		"collect": {url.Values{}, "?to=" + url.QueryEscape("/ui/cleanup")},
	} {
		if page := b.post(t, "/ui/"+path, test.form); page.status != http.StatusSeeOther || page.location != "/ui/login"+test.want {
			t.Errorf("%s: %d, to %s", path, page.status, page.location)
		}
	}
	// The same holds if everybody may pull.
	open := browse(t, pageConfig(t), "#!anonymous pull team-a/*\n"+people)
	for path, form := range map[string]url.Values{"delete": {"repository": {"team-a/app"}, "tag": {"1"}}, "preview": nil, "collect": nil} {
		if page := open.post(t, "/ui/"+path, form); page.status != http.StatusSeeOther || !strings.HasPrefix(page.location, "/ui/login?to=") {
			t.Errorf("%s: %d, to %s", path, page.status, page.location)
		}
	}
	if page := open.post(t, "/ui/delete", url.Values{"repository": {"team-b/app"}}); page.location != "/ui/login?to="+url.QueryEscape("/ui/r/team-b/app") {
		t.Errorf("what is not for everybody: %d, to %s", page.status, page.location)
	}
	// A folder is a query of the page's own address.
	for _, each := range []*browser{b, open} {
		if page := each.get(t, "/ui/?folder=team-b"); page.location != "/ui/login?to="+url.QueryEscape("/ui/?folder=team-b") {
			t.Errorf("a folder: %d, to %s", page.status, page.location)
		}
	}
	if page := b.get(t, "/ui/"); page.location != "/ui/login" {
		t.Errorf("the page itself: to %s", page.location)
	}
	if page := b.post(t, "/ui/delete", url.Values{"repository": {"//evil.example.com"}}); page.location != "/ui/login" {
		t.Errorf("to %s", page.location)
	}
	login := b.get(t, "/ui/login?to=/ui/r/team-a/app:1..2")
	login.contains(t, `value="/ui/r/team-a/app:1..2"`)
	// Browsers take a backslash for a slash.
	b.get(t, "/ui/login?to="+url.QueryEscape(`/ui/\..\..`)).contains(t, `value="/ui/%5C..%5C.."`)
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"X-Frame-Options":         "DENY",
		"X-Content-Type-Options":  "nosniff",
		"Cache-Control":           "no-store",
	} {
		if got := login.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for _, elsewhere := range []string{"https://evil.example.com/", "//evil.example.com/ui/", "/v2/", "/ui/../v2/", "/ui/%2e%2e/v2/", "/ui/r/..", "javascript:alert(1)"} {
		b.get(t, "/ui/login?to="+url.QueryEscape(elsewhere)).contains(t, `name="to" value="/ui/"`)
	}
	if page := b.get(t, "/ui/style.css"); page.status != http.StatusOK || !strings.HasPrefix(page.header.Get("Content-Type"), "text/css") {
		t.Errorf("style: %d", page.status)
	}
	off := registrytest.Parse(t, inMemory)
	off.HTTP.Addr = "127.0.0.1:0"
	s, err := New(off, own{}, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	s.listener.Close()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", "text/html")
	s.http.Handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("without a page: %d", w.Code)
	}
}

func TestPageLogin(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	if page := b.post(t, "/ui/login", url.Values{"user": {"alice"}, "password": {"wrong"}}); page.status != http.StatusUnauthorized || len(page.header["Set-Cookie"]) > 0 {
		t.Errorf("a wrong password: %d", page.status)
	}
	alice := b.as(t, "alice")
	alice.get(t, "/ui/").contains(t, "Logged in as alice")
	if page := alice.post(t, "/ui/login", url.Values{"user": {"alice"}, "password": {"alice"}, "to": {"/ui/r/a?page=2"}}); page.location != "/ui/r/a?page=2" {
		t.Errorf("after the login to %s", page.location)
	}
	// These are another page, and a browser that does not say where its user was.
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}},
		{"Sec-Fetch-Site": {"same-site"}},
		{"Origin": {"https://evil.example.com"}},
		{"Origin": {"null"}},
	} {
		if page := alice.send(t, http.MethodPost, "/ui/logout", nil, header); page.status != http.StatusForbidden {
			t.Errorf("%v: %d", header, page.status)
		}
	}
	alice.get(t, "/ui/").contains(t, "Logged in as alice")
	copied := alice.Jar.Cookies(&url.URL{Scheme: "http", Host: b.host(), Path: "/ui/"})
	alice.post(t, "/ui/logout", nil)
	if thief := b.another(t).send(t, http.MethodGet, "/ui/", nil, http.Header{"Cookie": {copied[0].String()}}); thief.status != http.StatusSeeOther {
		t.Errorf("with a copy of the cookie: %d", thief.status)
	}
	if page := alice.get(t, "/ui/"); page.status != http.StatusSeeOther {
		t.Errorf("after logging out: %d", page.status)
	}
	// A cookie is for the page alone.
	if page := b.as(t, "bob").get(t, "/v2/"); page.status != http.StatusUnauthorized {
		t.Errorf("the API with a cookie: %d", page.status)
	}
	bob, carol := b.as(t, "bob"), b.as(t, "carol")
	writeUsers(t, b.file, "#!access carol pull team-a/*\n", "alice", "carol")
	if page := bob.get(t, "/ui/"); page.status != http.StatusSeeOther {
		t.Errorf("a user who was removed: %d", page.status)
	}
	if page := carol.get(t, "/ui/"); page.status != http.StatusSeeOther {
		t.Errorf("a user of another hash: %d", page.status)
	}
}

func TestPageOfManyFailures(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	var page answer
	for range 4 {
		page = b.post(t, "/ui/login", url.Values{"user": {"alice"}, "password": {"wrong"}})
	}
	if page.status != http.StatusTooManyRequests || page.header.Get("Retry-After") == "" {
		t.Errorf("%d", page.status)
	}
	page.contains(t, "too many failed logins from this address")
}

func TestPageOfRepositories(t *testing.T) {
	b := browse(t, pageConfig(t), "#!anonymous pull public/*\n"+people)
	var d digest.Digest
	for _, name := range []string{"team-a/app", "public/app", "team-b/app"} {
		d = b.client(t, "alice").Push(t, name, "1.0", registrytest.Layer(1, 1000))
	}
	alice, bob, carol := b.as(t, "alice"), b.as(t, "bob"), b.as(t, "carol")
	poll.Until(t, "the repositories", func() bool { return strings.Contains(alice.get(t, "/ui/").text, "3 repositories") })
	alice.get(t, "/ui/").contains(t, "/ui/r/team-a/app", "/ui/r/team-b/app", "/ui/r/public/app")
	bob.get(t, "/ui/").contains(t, "not team-a", "/ui/r/team-b/app", "/ui/r/public/app", "2 repositories")
	carol.get(t, "/ui/").contains(t, "/ui/r/team-a/app", "not team-b", "/ui/r/public/app")
	b.get(t, "/ui/").contains(t, "not team-a", "not team-b", "/ui/r/public/app", "Log in")
	alice.get(t, "/ui/?q=team").contains(t, "2 repositories", "not public")
	for name, link := range map[string]string{
		"team-b/app:1.0":                  "/ui/r/team-b/app:1.0",
		b.host() + "/team-b/app:1.0":      "/ui/r/team-b/app:1.0",
		"team-b/app@" + d.String():        "/ui/r/team-b/app@" + d.String(),
		"team-b/app:1.0@" + d.String():    "/ui/r/team-b/app:1.0@" + d.String(),
		"team-b/new":                      "/ui/r/team-b/new",
		"team-a/app:1.0":                  "",
		"team-b/app:":                     "",
		"team-b/app@sha256:..":            "",
		"other.example.com/app:1.0":       "",
		"team-b/app:5000/x@" + d.String(): "",
		"team-b/app:1.0?sort=pushed#":     "",
	} {
		page := bob.get(t, "/ui/?q="+url.QueryEscape(name))
		if link == "" {
			page.contains(t, "Nothing was found", "not >Open ")
		} else {
			page.contains(t, `<a href="`+link+`">Open `)
		}
	}
	bob.get(t, "/ui/r/team-b/app:1.0").contains(t, `data-copy="`+b.host()+"/team-b/app@"+d.String())
	// The digest decides, whatever became of the tag.
	bob.get(t, "/ui/r/team-b/app:none@"+d.String()).contains(t, "<h1>"+d.Encoded()[:12]+"</h1>")
	alice.get(t, "/ui/?folder=public").contains(t, "1 repository", "not team-a")
	// A folder of others looks like one that does not exist.
	for _, folder := range []string{"team-a", "none"} {
		bob.get(t, "/ui/?folder="+folder).contains(t, "nothing in this folder, or it is not for you to see", "not team-a/app", "listed within a minute")
	}
	if page := b.get(t, "/ui/?folder=team-a"); page.location != "/ui/login?to=%2Fui%2F%3Ffolder%3Dteam-a" {
		t.Errorf("a folder for others than who has no login: %q", page.location)
	}
	alice.get(t, "/ui/?q="+url.QueryEscape(`"><script>alert(1)</script>`)).contains(t, "not <script>alert", "Nothing was found")
}

// TestPageOfNothing tells visitors who may push how to do so.
func TestPageOfNothing(t *testing.T) {
	config := pageConfig(t)
	b := browse(t, config, "#!anonymous pull\n"+people)
	alice := b.as(t, "alice")
	poll.Until(t, "the count", func() bool { return strings.Contains(alice.get(t, "/ui/").text, "Nothing here yet") })
	alice.get(t, "/ui/").contains(t, "docker push "+b.host()+"/alpine")
	for _, each := range []*browser{b, b.as(t, "bob"), b.as(t, "carol")} {
		each.get(t, "/ui/").contains(t, "Nothing here yet", "not docker push")
	}
	config.Storage["maintenance"] = configuration.Parameters{"readonly": map[any]any{"enabled": true}}
	fixed := browse(t, config, people).as(t, "alice")
	poll.Until(t, "the count", func() bool { return strings.Contains(fixed.get(t, "/ui/").text, "Nothing here yet") })
	fixed.get(t, "/ui/").contains(t, "not docker push")
}

func TestPageOfTags(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, bob := b.as(t, "alice"), b.as(t, "bob")
	client := b.client(t, "alice")
	amd := client.Push(t, "team-a/app", "1.9", registrytest.Layer(1, 1000))
	arm := client.Push(t, "team-a/app", "1.10", registrytest.Layer(1, 1000), registrytest.Layer(2, 2000))
	index := client.PushIndex(t, "team-a/app", "latest", amd, arm)
	signature := client.PushAbout(t, "team-a/app", "", index)

	page := alice.get(t, "/ui/r/team-a/app")
	page.contains(t, "3 tags", "linux/amd64", "linux/arm64", "1 attached", `name="tag" value="1.10"`, index.Encoded()[:12])
	if latest, next := strings.Index(page.text, "app:latest"), strings.Index(page.text, "app:1.10"); latest > next || next > strings.Index(page.text, "app:1.9") {
		t.Error("not in the order of versions")
	}
	alice.get(t, "/ui/r/team-a/app/").contains(t, "app:1.10")
	alice.get(t, "/ui/r/team-a/app?q=1.1").contains(t, "app:1.10", "not app:1.9\"")
	alice.get(t, "/ui/r/team-a/app:latest").contains(t, "for 2 platforms", "/ui/r/team-a/app@"+amd.String(), "application/vnd.example.signature", signature.Encoded()[:12], "docker pull ")
	alice.get(t, "/ui/r/team-a/app@"+signature.String()).contains(t, "It is about", index.String())
	b.as(t, "carol").get(t, "/ui/r/team-a/app").contains(t, "app:1.10", "not checkbox", "not Delete")
	for _, path := range []string{"r/team-a/app", "r/team-a/app:latest", "r/team-a/app@" + index.String()} {
		if page := bob.get(t, "/ui/"+path); page.status != http.StatusNotFound {
			t.Errorf("%s for others: %d", path, page.status)
		}
	}
	// By its digest, a manifest of another repository does not belong to one's own.
	client.Push(t, "team-b/app", "1", registrytest.Layer(3, 10))
	for _, path := range []string{"r/team-b/app@" + index.String(), "r/team-b/app:none", "r/none", "r/UPPER", "r/a@sha256:x", "r/a:b:c", "r/team-b/app:", "r/team-b/app:..@" + index.String(), "r/" + strings.Repeat("a", 300)} {
		if page := bob.get(t, "/ui/"+path); page.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, page.status)
		}
	}
}

// TestPageOfCompanions has tags of signatures, beside images and in a repository of their own.
func TestPageOfCompanions(t *testing.T) {
	config := pageConfig(t)
	config.Storage["maintenance"] = configuration.Parameters{"garbagecollection": map[any]any{"retention": map[any]any{"rules": []any{map[any]any{"keepnewest": 1}}}}}
	b := browse(t, config, people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	signature := func(n uint64) string { return layout.ReferrersTag(digest.FromBytes(registrytest.Layer(n, 1))) + ".sig" }
	row := func(tag string) string { return `name="tag" value="` + tag + `"` }
	first, second := signature(1), signature(2)
	for i, tag := range []string{first, second} {
		client.Push(t, "sigs", tag, registrytest.Layer(uint64(i), 10))
		client.Push(t, "team-a/app", tag, registrytest.Layer(uint64(i), 10))
	}
	alice.get(t, "/ui/r/sigs").contains(t, "0 tags", row(first), row(second), "not There are no tags")
	alice.get(t, "/ui/r/sigs?q="+first).contains(t, row(first), "not "+row(second))
	alice.get(t, "/ui/r/sigs?sort=size").contains(t, row(first), row(second))

	// It begins like the digest of the first one.
	begin := strings.TrimPrefix(first, "sha256-")[:8]
	client.Push(t, "team-a/app", begin, registrytest.Layer(3, 10))
	client.Push(t, "team-a/app", "2", registrytest.Layer(4, 10))
	beside := "/ui/r/team-a/app?companions="
	alice.get(t, "/ui/r/team-a/app").contains(t, row("2"), "not "+row(first), `<a href="`+beside+`">2 tags</a> of signatures`)
	alice.get(t, beside).contains(t, row(first), row(second), "not "+row("2"), `href="/ui/r/team-a/app?companions=&amp;sort=size"`)
	// These are as many as there are tags, but not all of those, so the last preview says when they go.
	alice.post(t, "/ui/preview", nil)
	poll.Until(t, "the preview", func() bool { return strings.Contains(alice.get(t, "/ui/cleanup").text, "1 tag by the rules") })
	alice.get(t, "/ui/r/team-a/app?sort=pushed&q="+begin).contains(t, row(begin), row(first), "By rule 1")
	for _, tag := range []string{first, second} {
		client.Delete(t, "team-a/app", tag)
	}
	alice.get(t, beside).contains(t, row("2"), "not signatures and the like")
}

// TestPageOfHostilePaths has addresses that try to be others.
func TestPageOfHostilePaths(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	client := b.client(t, "alice")
	client.Push(t, "team-a/app", "1", registrytest.Layer(1, 10))
	client.Push(t, "team-b/app", "1", registrytest.Layer(2, 10))
	bob := b.as(t, "bob")
	for _, path := range []string{
		"/ui/r/../../../etc/passwd", "/ui/r/%2e%2e/x", "/ui/r/..%2f..%2fv2%2f", "/ui/r/team-b/..%2fteam-a/app", "/ui/r/team-b/../team-a/app", "/ui/r/team-b%2f..%2fteam-a%2fapp",
		"/ui/r/team-a%2fapp", "/ui/r/team-a/app%3a1", "/ui/r/team-a//app", "/ui/r//team-a/app", "/ui/r/team-b/app:..", "/ui/r/team-b/app:%2e%2e%2f1", "/ui/r/team-b/app%00", "/ui/r/team-b/app%0d%0aX-Evil:1",
		"/ui/r/team-b/app@sha256:..%2f..%2f", "/ui/r/team-b/app:" + strings.Repeat("a", 129), "/ui/style.css/../../../etc/passwd", "/ui/..%2f..%2fassets", "/ui/?folder=../team-a", "/ui/?folder=team-b/../team-a", "/ui//evil.example.com/",
	} {
		page := bob.get(t, path)
		for range 3 {
			if page.status < 300 || page.status > 399 {
				break
			}
			if !strings.HasPrefix(page.location, "/") || strings.HasPrefix(page.location, "//") {
				t.Fatalf("%s leads to %s", path, page.location)
			}
			page = bob.get(t, page.location)
		}
		if page.status != http.StatusNotFound && page.status != http.StatusBadRequest || page.header.Get("X-Evil") != "" {
			t.Errorf("%s: %d: %s", path, page.status, page.text)
		}
	}
	if page := bob.get(t, "/ui/r/.."); page.location != "/ui/" {
		t.Errorf("to %s", page.location)
	}
	for _, elsewhere := range []string{"https://evil.example.com/ui/", "//evil.example.com/ui/", "///ui/", `\\evil.example.com`, "/\t/evil.example.com", "/ui/..//evil.example.com", "/ui/%2e%2e//evil.example.com", "https:/ui/", "/ui/\r\nX-Evil: 1"} {
		page := b.another(t).post(t, "/ui/login", url.Values{"user": {"bob"}, "password": {"bob"}, "to": {elsewhere}})
		if page.status != http.StatusSeeOther || !strings.HasPrefix(page.location, "/ui/") || strings.Contains(page.location, "..") || page.header.Get("X-Evil") != "" {
			t.Errorf("%q leads to %q", elsewhere, page.location)
		}
		// No other parameter is believed either.
		for _, word := range []string{"next", "url", "redirect", "return"} {
			if page := b.another(t).post(t, "/ui/login?"+word+"="+url.QueryEscape(elsewhere), url.Values{"user": {"bob"}, "password": {"bob"}, word: {elsewhere}}); page.location != "/ui/" {
				t.Errorf("%s=%q leads to %q", word, elsewhere, page.location)
			}
		}
	}
	for field, values := range map[string][]string{
		"repository": {"../team-a/app", "team-b/../team-a/app", "team-b%2f..%2fteam-a", "TEAM", ""},
		"tag":        {"../../app", "..", "1/../2", strings.Repeat("a", 129)},
		"digest":     {"sha256:../..", "sha256:", "md5:d41d8cd98f00b204e9800998ecf8427e"},
		"named":      {"../1@sha256:x", "@", "1"},
	} {
		for _, value := range values {
			for _, confirmed := range []string{"", "yes"} {
				form := url.Values{"repository": {"team-b/app"}, "confirmed": {confirmed}}
				form.Set(field, value)
				if page := bob.post(t, "/ui/delete", form); page.status >= 500 || page.status == http.StatusSeeOther && !strings.HasSuffix(page.location, "deleted=0") && !strings.Contains(page.location, "deleted=0&") {
					t.Errorf("%s=%q: %d, to %s", field, value, page.status, page.location)
				}
			}
		}
	}
	if page := bob.post(t, "/ui/delete", url.Values{"repository": {"team-b/app"}, "tag": {"1"}, "more": {strings.Repeat("a", 65<<10)}}); page.status != http.StatusBadRequest {
		t.Errorf("a form that is too long: %d", page.status)
	}
	for _, name := range []string{"team-a/app", "team-b/app"} {
		if tags := client.Tags(t, name); !slices.Equal(tags, []string{"1"}) {
			t.Errorf("%s has %v", name, tags)
		}
	}
}

// TestPageOfMethods sends requests that no page of the registry sends.
func TestPageOfMethods(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice := b.as(t, "alice")
	for _, path := range []string{"", "style.css", "login", "delete", "r/team-a/app", "none"} {
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodTrace, "FOO"} {
			page := alice.send(t, method, "/ui/"+path, nil, http.Header{"Sec-Fetch-Site": {"same-origin"}})
			if page.status != http.StatusMethodNotAllowed || !strings.Contains(page.header.Get("Allow"), "GET") || page.header.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s /ui/%s: %d, allowed are %s", method, path, page.status, page.header.Get("Allow"))
			}
		}
	}
	for path, want := range map[string]int{"": http.StatusMethodNotAllowed, "login": http.StatusUnauthorized, "delete": http.StatusNotFound, "none": http.StatusMethodNotAllowed} {
		if page := alice.post(t, "/ui/"+path, nil); page.status != want {
			t.Errorf("POST /ui/%s: %d", path, page.status)
		}
	}
	long := url.Values{"more": {strings.Repeat("a", 65<<10)}}
	for _, path := range []string{"login", "delete", "collect", "preview"} {
		if page := alice.post(t, "/ui/"+path, long); page.status != http.StatusBadRequest {
			t.Errorf("%s with a form that is too long: %d", path, page.status)
		}
	}
}

// TestPageOfSlowForms has strangers send more forms than are read at once, and never end them.
func TestPageOfSlowForms(t *testing.T) {
	config := pageConfig(t)
	// The access log stands between a form and its connection.
	b := browseWith(t, config, people, func(*own) { config.Log.AccessLog.Disabled = false })
	alice := b.as(t, "alice")
	var slow []net.Conn
	t.Cleanup(func() {
		for _, each := range slow {
			each.Close()
		}
	})
	for range page.MostForms {
		connection, err := net.Dial("tcp", b.host())
		if err != nil {
			t.Fatal(err)
		}
		slow = append(slow, connection)
		fmt.Fprintf(connection, "POST /ui/login HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nuser=", b.host())
	}
	dropped := make(chan *http.Response, page.MostForms)
	for _, each := range slow {
		go func() {
			if response, err := http.ReadResponse(bufio.NewReader(each), nil); err == nil {
				dropped <- response
			}
		}()
	}
	login := url.Values{"user": {"bob"}, "password": {"bob"}}
	begin := time.Now()
	for len(dropped) == 0 {
		if page := b.another(t).post(t, "/ui/login", login); page.status != http.StatusSeeOther {
			t.Fatalf("a login meanwhile: %d", page.status)
		}
	}
	// Otherwise it ended because its patience was over.
	if waited := time.Since(begin); waited > 3*time.Second {
		t.Errorf("the oldest was dropped after %v", waited)
	}
	if response := <-dropped; response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("%s %v", response.Status, response.Header)
	}
	if page := alice.get(t, "/ui/"); page.status != http.StatusOK {
		t.Errorf("a page meanwhile: %d", page.status)
	}
}

// TestPageDeletesTwice sends a form again, and sends one from a browser that does not wait.
func TestPageDeletesTwice(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	form := url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "images": {"yes"}}
	for i := range 5 {
		tag := fmt.Sprint(i)
		form.Add("named", tag+"@"+client.Push(t, "team-a/app", tag, registrytest.Layer(uint64(i), 10)).String())
	}
	r := httptest.NewRequest(http.MethodPost, "/ui/delete", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, cookie := range alice.Jar.Cookies(&url.URL{Scheme: "http", Host: b.host(), Path: "/ui/"}) {
		r.AddCookie(cookie)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	b.server.Config.Handler.ServeHTTP(httptest.NewRecorder(), r.WithContext(gone))
	if tags := client.Tags(t, "team-a/app"); len(tags) > 0 {
		t.Errorf("left are %v", tags)
	}
	if page := alice.post(t, "/ui/delete", form); page.location != "/ui/r/team-a/app?deleted=5&onlytags=" {
		t.Errorf("sent again: %d, to %s", page.status, page.location)
	}
}

// TestPageOfChangedRights has sessions that are older than the rights of their users.
func TestPageOfChangedRights(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	client := b.client(t, "alice")
	client.Push(t, "team-a/app", "1", registrytest.Layer(1, 10))
	alice, before := b.as(t, "alice"), "/ui/r/team-a/app"
	alice.get(t, before).contains(t, "checkbox")
	form := url.Values{"repository": {"team-a/app"}, "tag": {"1"}, "confirmed": {"yes"}, "named": {"1@" + client.Tags(t, "team-a/app")[0]}}
	users, err := os.ReadFile(b.file)
	if err != nil {
		t.Fatal(err)
	}
	// The password stays, so the session does.
	for rights, want := range map[string]struct{ look, remove, collect int }{
		"#!access alice pull team-a/*\n":      {http.StatusOK, http.StatusForbidden, http.StatusForbidden},
		"#!access alice push-pull team-b/*\n": {http.StatusNotFound, http.StatusNotFound, http.StatusForbidden},
	} {
		if err := os.WriteFile(b.file, append([]byte(rights), users...), 0o600); err != nil {
			t.Fatal(err)
		}
		poll.Until(t, "the rights", func() bool { return alice.post(t, "/ui/collect", nil).status == want.collect })
		page := alice.get(t, before)
		if page.status != want.look {
			t.Errorf("%q: %d", rights, page.status)
		}
		page.contains(t, "not checkbox", "not Delete")
		if page := alice.post(t, "/ui/delete", form); page.status != want.remove {
			t.Errorf("%q: a deletion: %d", rights, page.status)
		}
	}
}

// TestPageSortsTags has more tags than fit on a page, and expects no tag on two pages in any order.
func TestPageSortsTags(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	client.Push(t, "team-a/app", "b-large", registrytest.Layer(1, 5000))
	client.Push(t, "team-a/app", "c-small", registrytest.Layer(2, 10))
	client.Push(t, "team-a/app", "a-last", registrytest.Layer(3, 1000))
	for i := range 110 {
		client.Retag(t, "team-a/app", "c-small", fmt.Sprintf("t-%d", i))
	}
	client.Retag(t, "team-a/app", "a-last", "a-last")
	tag := regexp.MustCompile(`name="tag" value="([^"]+)"`)
	names := func(query string) (all []string) {
		for _, each := range tag.FindAllStringSubmatch(alice.get(t, "/ui/r/team-a/app"+query).text, -1) {
			all = append(all, each[1])
		}
		return all
	}
	for sort, first := range map[string][]string{"": {"t-109", "t-108"}, "name": {"t-109"}, "nonsense": {"t-109"}, "pushed": {"a-last", "t-109", "t-108"}, "size": {"b-large", "a-last", "t-109"}} {
		one, two := names("?sort="+sort), names("?page=2&sort="+sort)
		if !slices.Equal(one[:len(first)], first) || len(one) != 100 || len(two) != 13 {
			t.Errorf("%q: %d and %d, %v", sort, len(one), len(two), one[:3])
		}
		both := slices.Concat(one, two)
		slices.Sort(both)
		if len(slices.Compact(both)) != 113 {
			t.Errorf("%q: one is on both pages", sort)
		}
	}
	page := alice.get(t, "/ui/r/team-a/app?sort=pushed&q=t-")
	page.contains(t, `href="/ui/r/team-a/app?page=2&amp;q=t-&amp;sort=pushed"`, `href="/ui/r/team-a/app?q=t-&amp;sort=size"`, `aria-current="true">Last push`)
}

// TestPageOfUntagged has a manifest that lost its tag, besides all that is kept without one.
func TestPageOfUntagged(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, carol, client := b.as(t, "alice"), b.as(t, "carol"), b.client(t, "alice")
	part := client.Push(t, "team-a/app", "", registrytest.Layer(1, 1000))
	client.PushAbout(t, "team-a/app", "", client.PushIndex(t, "team-a/app", "1", part))
	alice.get(t, "/ui/r/team-a/app?untagged").contains(t, "There are none")
	lost := client.Push(t, "team-a/app", "2", registrytest.Layer(2, 2000))
	client.Push(t, "team-a/app", "2", registrytest.Layer(3, 3000))

	poll.Until(t, "the count", func() bool { return strings.Contains(alice.get(t, "/ui/r/team-a/app").text, ">1 untagged manifest<") })
	alice.get(t, "/ui/r/team-a/app").contains(t, `href="/ui/r/team-a/app?untagged="`)
	row := `name="digest" value="` + lost.String() + `"`
	alice.get(t, "/ui/r/team-a/app?untagged=").contains(t, row, "/ui/r/team-a/app@"+lost.String(), "not "+part.String(), "linux/amd64", "They stay until")
	carol.get(t, "/ui/r/team-a/app?untagged=").contains(t, lost.String(), "not checkbox", "not Delete")
	if page := b.as(t, "bob").get(t, "/ui/r/team-a/app?untagged="); page.status != http.StatusNotFound {
		t.Errorf("for others: %d", page.status)
	}
	form := url.Values{"repository": {"team-a/app"}, "digest": {lost.String()}}
	alice.post(t, "/ui/delete", form).contains(t, "Delete 1 image?", lost.String(), "frees")
	form.Set("confirmed", "yes")
	form.Set("images", "yes")
	page := alice.post(t, "/ui/delete", form)
	if page.location != "/ui/r/team-a/app?deleted=1&untagged=" {
		t.Errorf("%d, to %s", page.status, page.location)
	}
	alice.get(t, page.location).contains(t, "1 manifest was deleted", "There are none")
	alice.get(t, "/ui/r/team-a/app").contains(t, "not untagged manifest<", ">2 tags")
}

// TestPageOfHostileImage has names at their limits, and labels and steps that try to be more than text.
func TestPageOfHostileImage(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	const attack = "</code></dd><script>alert(1)</script><a href=\"javascript:alert(1)\" onclick='x'>{{.}}\u202egnp\u2066\x1b[31m"
	repository, tag := strings.Repeat("a/", 100)+strings.Repeat("b", 50), strings.Repeat("T", 128)
	config := map[string]any{
		"os": attack, "architecture": attack, "author": attack,
		"history": []any{map[string]any{"created_by": attack}, 7},
		"config":  map[string]any{"Labels": map[string]string{attack: attack}, "Env": []string{attack}, "Cmd": []string{attack}, "User": attack},
	}
	content, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	d := digest.FromBytes(content)
	client.PushBlob(t, repository, d, content)
	var layers []v1.Descriptor
	layer := registrytest.Layer(1, 10)
	client.PushBlob(t, repository, digest.FromBytes(layer), layer)
	for range 1200 {
		layers = append(layers, v1.Descriptor{MediaType: "application/vnd.oci.image.layer.v1.tar", Digest: digest.FromBytes(layer), Size: 10})
	}
	m := v1.Manifest{MediaType: v1.MediaTypeImageManifest, Config: v1.Descriptor{MediaType: v1.MediaTypeImageConfig, Digest: d, Size: int64(len(content))}, Layers: layers}
	m.SchemaVersion = 2
	m.Annotations = map[string]string{attack: strings.Repeat("x", 1<<20)}
	subject := client.PushManifest(t, repository, tag, m.MediaType, m)
	m.Subject, m.Annotations = &v1.Descriptor{MediaType: m.MediaType, Digest: subject, Size: 1}, map[string]string{v1.AnnotationCreated: attack}
	m.ArtifactType = "application/vnd.example\u202e"
	client.PushManifest(t, repository, "about", m.MediaType, m)
	for _, path := range []string{repository, repository + ":" + tag} {
		page := alice.get(t, "/ui/r/"+path)
		if page.status != http.StatusOK || len(page.text) > 1<<20 {
			t.Errorf("%d, %d bytes", page.status, len(page.text))
		}
		page.contains(t, "not <script>", `not href="javascript`, "not onclick='", "&lt;script&gt;", "not \u202e", "not \u2066", "not \x1b")
	}
	alice.get(t, "/ui/r/"+repository+":"+tag).contains(t, "and 200 more layers", "&lt;/code&gt;&lt;/dd&gt;")
	alice.get(t, "/ui/r/"+repository+"?q="+url.QueryEscape(attack)).contains(t, "not <script>", "&lt;script&gt;")
}

func TestPageDeletes(t *testing.T) {
	config := pageConfig(t)
	b := browse(t, config, people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	amd := client.Push(t, "team-a/app", "", registrytest.Layer(1, 1000))
	arm := client.Push(t, "team-a/app", "", registrytest.Layer(2, 2000))
	first := client.PushIndex(t, "team-a/app", "1", amd, arm)
	client.PushIndex(t, "team-a/app", "2", arm)
	client.Push(t, "team-a/app", "3", registrytest.Layer(3, 5000))
	client.Retag(t, "team-a/app", "3", "three")
	form := url.Values{"repository": {"team-a/app"}, "tag": {"1", "3"}}

	for user, want := range map[string]int{"bob": http.StatusNotFound, "carol": http.StatusForbidden} {
		if page := b.as(t, user).post(t, "/ui/delete", form); page.status != want {
			t.Errorf("%s: %d", user, page.status)
		}
		confirmed := url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "named": {"1@" + first.String()}}
		if page := b.as(t, user).post(t, "/ui/delete", confirmed); page.status != want {
			t.Errorf("%s: %d", user, page.status)
		}
	}
	if page := alice.send(t, http.MethodPost, "/ui/delete", form, http.Header{"Sec-Fetch-Site": {"cross-site"}}); page.status != http.StatusForbidden {
		t.Errorf("from another page: %d", page.status)
	}

	asked := alice.post(t, "/ui/delete", form)
	asked.contains(t, "Delete 2 tags?", "as three", first.String(), "with 1 part for their platforms", "1 image will have no tag then")
	if got := asked.header.Get("Cache-Control"); got != "private, no-cache" {
		t.Errorf("a browser may keep the question to go back to it: %q", got)
	}
	// Nobody has confirmed yet.
	if tags := client.Tags(t, "team-a/app"); len(tags) != 4 {
		t.Fatalf("%v", tags)
	}
	confirmed := url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "images": {"yes"}}
	for _, each := range regexp.MustCompile(`name="named" value="([^"]+)"`).FindAllStringSubmatch(asked.text, -1) {
		confirmed.Add("named", html.UnescapeString(each[1]))
	}
	if page := alice.post(t, "/ui/delete", confirmed); page.location != "/ui/r/team-a/app?deleted=2" {
		t.Errorf("%d, to %s: %s", page.status, page.location, page.text)
	}
	if tags := client.Tags(t, "team-a/app"); !slices.Equal(tags, []string{"2", "three"}) {
		t.Errorf("left are %v", tags)
	}
	alice.get(t, "/ui/r/team-a/app?deleted=2").contains(t, "2 tags were deleted", ">2 tags", "not app:1\"")
	// The page says so once, and not to somebody who follows a link.
	alice.get(t, "/ui/r/team-a/app?deleted=2").contains(t, ">2 tags", "not were deleted")
	alice.get(t, "/ui/r/team-a/app?untagged&deleted=2").contains(t, "not were deleted")
	for _, d := range []digest.Digest{first, amd} {
		if page := alice.get(t, "/ui/r/team-a/app@"+d.String()); page.status != http.StatusNotFound {
			t.Errorf("%s is still there: %d", d, page.status)
		}
	}
	if page := alice.get(t, "/ui/r/team-a/app@"+arm.String()); page.status != http.StatusOK {
		t.Errorf("what another index needs: %d", page.status)
	}

	// This is pushed between the question and the answer.
	client.Push(t, "team-a/app", "three", registrytest.Layer(4, 10))
	stale := url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "images": {"yes"}, "named": {"three@" + first.String()}}
	if page := alice.post(t, "/ui/delete", stale); page.status != http.StatusConflict {
		t.Errorf("%d", page.status)
	}
	if tags := client.Tags(t, "team-a/app"); !slices.Equal(tags, []string{"2", "three"}) {
		t.Errorf("left are %v", tags)
	}
	config.Storage["maintenance"] = configuration.Parameters{"readonly": map[any]any{"enabled": true}}
	fixed := browse(t, config, people).as(t, "alice")
	fixed.get(t, "/ui/r/team-a/app").contains(t, "app:2", "not checkbox")
	fixed.get(t, "/ui/cleanup").contains(t, "This registry deletes nothing: it is read-only.", "not Only on demand", "not Who may push everywhere")
	if page := fixed.post(t, "/ui/delete", form); page.status != http.StatusForbidden {
		t.Errorf("a registry for pulls only: %d", page.status)
	}
}

func TestPageOfCleanup(t *testing.T) {
	config := pageConfig(t)
	config.Storage["maintenance"] = configuration.Parameters{"garbagecollection": map[any]any{
		"schedule": "0 3 * * *", "timezone": "UTC", "retention": map[any]any{"dryrun": true, "rules": []any{map[any]any{"keepnewest": 1}}},
	}}
	b := browse(t, config, people)
	alice, bob, carol := b.as(t, "alice"), b.as(t, "bob"), b.as(t, "carol")
	client := b.client(t, "alice")
	for _, name := range []string{"team-a/app", "team-b/app"} {
		client.Push(t, name, "1", registrytest.Layer(1, 1000))
		client.Push(t, name, "2", registrytest.Layer(2, 1000))
		client.Push(t, name, "2", registrytest.Layer(3, 1000))
	}
	for _, path := range []string{"/ui/collect", "/ui/preview"} {
		for _, each := range []*browser{bob, carol} {
			if page := each.post(t, path, nil); page.status != http.StatusForbidden {
				t.Errorf("%s by who may not: %d", path, page.status)
			}
		}
	}
	alice.get(t, "/ui/cleanup").contains(t, "03:00 UTC", "Collect now", "free of", "None yet", "only log what they would delete")
	alice.post(t, "/ui/preview", nil)
	poll.Until(t, "the preview", func() bool { return strings.Contains(alice.get(t, "/ui/cleanup").text, "2 untagged manifests") })
	alice.get(t, "/ui/cleanup").contains(t, "team-a/app:1", "team-b/app:1", "rule 1 (keep newest 1)", "dry run: they stay", "Besides, 2 untagged manifests")
	alice.get(t, "/ui/r/team-a/app").contains(t, "no rule keeps it", "By rule 1 (keep newest 1)")
	bob.get(t, "/ui/cleanup").contains(t, "not team-a", "team-b/app:1", "not Collect now", "not free of", "1 untagged manifest of yours")
	alice.post(t, "/ui/collect", url.Values{"untagged": {"yes"}})
	poll.Until(t, "the collection", func() bool { return !strings.Contains(alice.get(t, "/ui/cleanup").text, "None yet") })
	alice.get(t, "/ui/cleanup").contains(t, "kB</td>")
	if tags := client.Tags(t, "team-a/app"); len(tags) != 2 {
		t.Errorf("left are %v", tags)
	}
}

// atWork is a collector that is about to make a preview.
type atWork struct{ page.Collector }

func (atWork) PreviewSoon() bool { return false }

func (atWork) Preview() (*garbage.Preview, bool, error) { return nil, true, nil }

// TestPageOfBusyCleanup expects the page to say so for as long as it is true.
func TestPageOfBusyCleanup(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice, busy := b.as(t, "alice"), "Something else is waiting to be done already"
	alice.get(t, "/ui/cleanup?busy").contains(t, "not "+busy)
	ui := b.at.ui.(*page.Page)
	ui.Collector = atWork{ui.Collector}
	refused := alice.post(t, "/ui/preview", nil)
	page := alice.get(t, refused.location)
	page.contains(t, busy)
	if page.header.Get("Refresh") != "3; url=/ui/cleanup" {
		t.Errorf("it looks again at %q", page.header.Get("Refresh"))
	}
}

// TestPageOfAgingTags has tags that are kept for their age alone.
func TestPageOfAgingTags(t *testing.T) {
	for _, dryRun := range []bool{false, true} {
		config := pageConfig(t)
		config.Storage["maintenance"] = configuration.Parameters{"garbagecollection": map[any]any{
			"schedule": "0 3 * * *", "deleteuntagged": true, "retention": map[any]any{"dryrun": dryRun, "rules": []any{map[any]any{"keepnewest": 1, "keepdays": 30}}},
		}}
		b := browse(t, config, people)
		alice, client := b.as(t, "alice"), b.client(t, "alice")
		client.Push(t, "team-a/app", "1", registrytest.Layer(1, 1000))
		client.Push(t, "team-a/app", "2", registrytest.Layer(2, 1000))
		// It needs no look at the whole registry.
		page := alice.get(t, "/ui/r/team-a/app")
		chip := map[bool]string{false: `By rule 1 \(keep newest 1, pushed in 30 days\), [-0-9]+ 03:00 UTC">goes in (29|30) days<`, true: `">no rule keeps it in 29 days<`}[dryRun]
		if found := regexp.MustCompile(chip).FindAllString(page.text, -1); len(found) != 1 {
			t.Errorf("dry run %t: %q:\n%s", dryRun, found, page.text)
		}
		alice.post(t, "/ui/preview", nil)
		poll.Until(t, "the preview", func() bool { return strings.Contains(alice.get(t, "/ui/cleanup").text, "kept for their age alone") })
		cleanup := alice.get(t, "/ui/cleanup")
		cleanup.contains(t, "team-a/app:</span>1</a>", "not team-a/app:</span>2</a>", "0 tags by the rules")
		b.as(t, "bob").get(t, "/ui/cleanup").contains(t, "not team-a")
		// A search does not see all tags, so the last preview counts.
		if page := alice.get(t, "/ui/r/team-a/app?q=1"); !regexp.MustCompile(chip).MatchString(page.text) {
			t.Errorf("of a search:\n%s", page.text)
		}
	}
}

// TestPageOfBrokenTag has a newest tag that nobody can pull. It does not keep another from being the newest.
func TestPageOfBrokenTag(t *testing.T) {
	config := pageConfig(t)
	config.Storage["maintenance"] = configuration.Parameters{"garbagecollection": map[any]any{"retention": map[any]any{"rules": []any{map[any]any{"keepnewest": 1}}}}}
	b := browse(t, config, people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	client.Push(t, "team-a/app", "1", registrytest.Layer(1, 1000))
	pushBroken := func(tag string, layer []byte) {
		broken := client.Push(t, "team-a/app", tag, layer)
		if err := os.RemoveAll(filepath.Join(config.Storage["filesystem"]["rootdirectory"].(string), layout.RevisionPath("team-a/app", broken))); err != nil {
			t.Fatal(err)
		}
	}
	pushBroken("2", registrytest.Layer(2, 1000))
	alice.get(t, "/ui/r/team-a/app").contains(t, ">broken<", "not By rule 1")
	alice.get(t, "/ui/r/team-a/app:2").contains(t, "damaged in the store")
	client.Push(t, "team-a/app", "3", registrytest.Layer(3, 1000))
	if page := alice.get(t, "/ui/r/team-a/app?sort=size"); strings.Count(page.text, "By rule 1") != 1 {
		t.Errorf("not one of them goes:\n%s", page.text)
	}
	// Two orders need a look at all of them, though a page shows no more than 100.
	for i := range 99 {
		client.Retag(t, "team-a/app", "3", fmt.Sprint(i+4))
	}
	pushBroken("103", registrytest.Layer(4, 1000))
	for query, want := range map[string]int{"sort=pushed": 98, "sort=pushed&page=2": 2, "sort=size": 99, "sort=size&page=2": 1, "sort=name": 0} {
		if got := strings.Count(alice.get(t, "/ui/r/team-a/app?"+query).text, "By rule 1"); got != want {
			t.Errorf("%s: %d of many go, not %d", query, got, want)
		}
	}
}

// TestPageOfDamagedImages has tags whose images the store has lost. They can be deleted all the same.
func TestPageOfDamagedImages(t *testing.T) {
	config := pageConfig(t)
	b := browse(t, config, people)
	alice, client := b.as(t, "alice"), b.client(t, "alice")
	damage := func(path string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(config.Storage["filesystem"]["rootdirectory"].(string), path), []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tagged, untagged := client.Push(t, "team-a/app", "1", registrytest.Layer(1, 10)), client.Push(t, "team-a/app", "", registrytest.Layer(2, 10))
	damage(layout.BlobPath(tagged))
	damage(layout.BlobPath(untagged))
	client.Push(t, "team-a/app", "2", registrytest.Layer(3, 10))
	damage(layout.TagPath("team-a/app", "2"))
	for reference, why := range map[string]string{
		":1":                    "<code>" + tagged.String() + "</code> is missing, or not what its digest says",
		":2":                    "its tag names no manifest",
		"@" + untagged.String(): "<code>" + untagged.String() + "</code> is missing, or not what its digest says",
	} {
		page := alice.get(t, "/ui/r/team-a/app"+reference)
		page.contains(t, "damaged in the store", why, "It can be pushed again, or deleted.")
		b.as(t, "carol").get(t, "/ui/r/team-a/app"+reference).contains(t, why, "It can be pushed again.", "not Delete")
		asked := alice.post(t, "/ui/delete", page.confirmed())
		if done := alice.post(t, "/ui/delete", asked.confirmed()); page.status != http.StatusNotFound || done.status != http.StatusSeeOther {
			t.Errorf("%s: %d, and its deletion %d: %s", reference, page.status, done.status, done.text)
		}
		alice.get(t, "/ui/r/team-a/app"+reference).contains(t, "There is nothing here")
	}
}

// TestPageWithoutStore has a store that is away: a page tells the visitor so.
func TestPageWithoutStore(t *testing.T) {
	b := browse(t, pageConfig(t), people)
	alice := b.as(t, "alice")
	away := func(context.Context) map[string]string {
		return map[string]string{"storagedriver_s3": "no route to 10.0.0.1"}
	}
	b.at.ui.(*page.Page).Failing = away
	page := alice.get(t, "/ui/r/team-a/app")
	if page.status != http.StatusServiceUnavailable || page.header.Get("Retry-After") == "" {
		t.Errorf("%d", page.status)
	}
	page.contains(t, "store does not answer", "not 10.0.0.1")
	if page := b.get(t, "/ui/login"); page.status != http.StatusOK {
		t.Errorf("the login: %d", page.status)
	}
}
