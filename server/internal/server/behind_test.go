package server

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/config"
	"container-registry/server/internal/registrytest"
)

// TestBehindProxy has clients with addresses of their own behind one reverse proxy.
func TestBehindProxy(t *testing.T) {
	proxies := []config.Network{{Prefix: netip.MustParsePrefix("10.0.0.1/32")}}
	s, err := New(registrytest.Parse(t, inMemory+"http: {addr: '127.0.0.1:0'}\nlog: {accesslog: {disabled: true}}\nauth: {htpasswd: {realm: registry, path: "+
		htpasswd(t, "alice", "wonder")+", limit: {failures: 1, window: 1h}}}\n"), own{TrustedProxies: proxies}, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	defer s.endApp()
	defer s.listener.Close()
	const proxy, other, wrong, right = "10.0.0.1:1", "192.0.2.3:1", "wrong", "wonder"
	for i, step := range []struct {
		peer, told, password string
		want                 int
	}{
		{proxy, "192.0.2.1", wrong, http.StatusUnauthorized},
		// It is locked out even if it invents other addresses before it. Its neighbour is not.
		{proxy, "192.0.2.1", right, http.StatusTooManyRequests},
		{proxy, "192.0.2.9, 192.0.2.1", right, http.StatusTooManyRequests},
		{proxy, "192.0.2.2", right, http.StatusOK},
		// A client that is not a proxy and poses as others locks out itself, not those.
		{other, "192.0.2.4", wrong, http.StatusUnauthorized},
		{other, "192.0.2.5", wrong, http.StatusTooManyRequests},
		{proxy, "192.0.2.4", wrong, http.StatusUnauthorized},
	} {
		request := httptest.NewRequest(http.MethodGet, "/v2/", nil)
		request.RemoteAddr = step.peer
		request.Header.Set("X-Forwarded-For", step.told)
		request.SetBasicAuth("alice", step.password)
		recorder := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(recorder, request)
		if recorder.Code != step.want {
			t.Errorf("step %d, %+v: %d", i, step, recorder.Code)
		}
	}
}

// TestBehindProxies expects clients to be told one address of the registry, even if only some proxies append to
// lists.
func TestBehindProxies(t *testing.T) {
	users := htpasswd(t, "alice", "wonder")
	addLine(t, users, "#!anonymous pull public/*")
	s, err := New(registrytest.Parse(t, inMemory+"http: {addr: '127.0.0.1:0'}\nlog: {accesslog: {disabled: true}}\nauth: {htpasswd: {realm: registry, path: "+users+"}}\n"),
		own{TrustedProxies: []config.Network{{Prefix: netip.MustParsePrefix("10.0.0.1/32")}}}, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	defer s.endApp()
	defer s.listener.Close()
	for _, test := range []struct{ proto, host, want string }{
		{"https", "a.example.com", "https://a.example.com"},
		{"https, http", "a.example.com, b.example.com", "https://a.example.com"},
		{"https,https", "a.example.com", "https://a.example.com"},
		{"", "a.example.com,b.example.com", "http://a.example.com"},
	} {
		ask := func(login bool) http.Header {
			r := httptest.NewRequest(http.MethodPost, "/v2/app/blobs/uploads/", nil)
			r.RemoteAddr = "10.0.0.1:1"
			r.Header.Set("X-Forwarded-Proto", test.proto)
			r.Header.Set("X-Forwarded-Host", test.host)
			if login {
				r.SetBasicAuth("alice", "wonder")
			}
			w := httptest.NewRecorder()
			s.http.Handler.ServeHTTP(w, r)
			return w.Header()
		}
		if location := ask(true).Get("Location"); !strings.HasPrefix(location, test.want+"/v2/app/") {
			t.Errorf("%+v: Location is %s", test, location)
		}
		if challenge := ask(false).Get("WWW-Authenticate"); !strings.HasPrefix(challenge, `Bearer realm="`+test.want+`/v2/auth"`) {
			t.Errorf("%+v: %s", test, challenge)
		}
	}
}

// TestByAnotherName has clients use another name than http.host, like those beside the proxy. Their login
// belongs to that name, so whatever they are redirected to has that name, too.
func TestByAnotherName(t *testing.T) {
	config := registrytest.Parse(t, "storage: {filesystem: {rootdirectory: "+t.TempDir()+"}}\n")
	config.HTTP.Host = "https://registry.example.com"
	i := start(t, config, &http.Client{})
	ask := func(method, path, header, content string) string {
		t.Helper()
		request, err := http.NewRequest(method, i.base+path, strings.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", v1.MediaTypeImageIndex)
		response, err := i.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		text := body(t, response)
		got, _, _ := strings.Cut(strings.TrimPrefix(response.Header.Get(header), "<"), ">")
		if response.StatusCode >= http.StatusMultipleChoices || !strings.HasPrefix(got, "/v2/") {
			t.Fatalf("%s %s: %s: %s is %q: %s", method, path, response.Status, header, got, text)
		}
		return got
	}
	layer, index := digest.FromString("layer"), `{"schemaVersion":2,"mediaType":"`+v1.MediaTypeImageIndex+`","manifests":[]}`
	upload := ask(http.MethodPost, "/v2/app/blobs/uploads/", "Location", "")
	upload = ask(http.MethodPatch, upload, "Location", "layer")
	upload = ask(http.MethodGet, upload, "Location", "")
	ask(http.MethodPut, upload+"&digest="+layer.String(), "Location", "")
	ask(http.MethodPost, "/v2/other/blobs/uploads/?from=app&mount="+layer.String(), "Location", "")
	for _, each := range []string{"app/manifests/1", "app/manifests/2", "other/manifests/1"} {
		ask(http.MethodPut, "/v2/"+each, "Location", index)
	}
	about := `{"schemaVersion":2,"mediaType":"` + v1.MediaTypeImageIndex + `","manifests":[],"subject":{"mediaType":"` + v1.MediaTypeImageIndex + `","size":1,"digest":"` + layer.String() + `"},"annotations":{"a":`
	for _, each := range []string{`"1"}}`, `"2"}}`} {
		content := about + each
		ask(http.MethodPut, "/v2/app/manifests/"+digest.FromString(content).String(), "Location", content)
	}
	for _, list := range []string{"_catalog", "app/tags/list", "app/referrers/" + layer.String()} {
		ask(http.MethodGet, "/v2/"+list+"?n=1", "Link", "")
	}
}

// TestNoHost has a client of HTTP/1.0 that names no host.
func TestNoHost(t *testing.T) {
	users := htpasswd(t, "alice", "wonder")
	addLine(t, users, "#!anonymous pull public/*")
	i := start(t, registrytest.Parse(t, inMemory+"auth: {htpasswd: {realm: registry, path: "+users+"}}\n"), &http.Client{})
	for login, want := range map[string]string{
		"Authorization: Basic YWxpY2U6d29uZGVy\r\n": "\r\nLocation: /v2/app/blobs/uploads/",
		"": `Bearer realm="/v2/auth"`,
	} {
		connection, err := net.Dial("tcp", strings.TrimPrefix(i.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer connection.Close()
		if _, err := io.WriteString(connection, "POST /v2/app/blobs/uploads/ HTTP/1.0\r\n"+login+"\r\n"); err != nil {
			t.Fatal(err)
		}
		if answer, err := io.ReadAll(connection); err != nil || !strings.Contains(string(answer), want) {
			t.Errorf("%q, %v", answer, err)
		}
	}
}

// TestPageBehindProxy has browsers use another name than the proxy. They write it in lower case.
func TestPageBehindProxy(t *testing.T) {
	config := pageConfig(t)
	config.HTTP.Host = "http://Registry.LAN:80"
	b := browse(t, config, people)
	for origin, want := range map[string]int{"http://registry.lan": http.StatusSeeOther, "http://registry.example": http.StatusForbidden} {
		form := url.Values{"user": {"alice"}, "password": {"alice"}}
		if page := b.send(t, http.MethodPost, "/ui/login", form, http.Header{"Origin": {origin}}); page.status != want {
			t.Errorf("a login from %s: %d", origin, page.status)
		}
	}
	b.as(t, "alice").get(t, "/ui/").contains(t, "registry.lan:80")
}
