package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"
)

// answers is an upstream that fails if it has no response.
type answers func(*http.Request) *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	response := a(r)
	if response == nil {
		return nil, errors.New("no route to host")
	}
	response.Request = r
	return response, nil
}

func upstreamOf(url string, a answers) *Upstream {
	u := newUpstream(url, logrus.NewEntry(logrus.New()))
	u.base = a
	return u
}

// answer is a response with content of a size.
func answer(status int, size int, header http.Header) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: header, Body: io.NopCloser(strings.NewReader(strings.Repeat(" ", size)))}
}

// heardFor is for a client's request.
func heardFor(t *testing.T, request string) (context.Context, *heard) {
	t.Helper()
	var method, path string
	if _, err := fmt.Sscan(request, &method, &path); err != nil {
		t.Fatal(err)
	}
	h := newHeard(httptest.NewRequest(method, path, http.NoBody))
	return context.WithValue(t.Context(), heardKey{}, h), h
}

// get sends a request of the engine's, and follows the redirects of the upstream.
func (u *Upstream) get(t *testing.T, ctx context.Context, url string) (sent int, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: u}).Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return len(content), err
}

// TestAmounts has an upstream send more than the memory of a mirror may take.
func TestAmounts(t *testing.T) {
	blob := "library/app/blobs/" + digest.FromString("x").String()
	const registry, store = "https://registry.example.com/v2/", "https://store.example.com/a/b"
	const much = mostOfTags + 1
	for name, test := range map[string]struct {
		client, engine string
		status, size   int
		want           int // of what was sent; less than all is a failure, but with an error
	}{
		"a manifest":                     {"manifests/latest", registry + "library/app/manifests/latest", 200, mostOfAnswer, mostOfAnswer},
		"a large manifest":               {"manifests/latest", registry + "library/app/manifests/latest", 200, mostOfAnswer + 1, -1},
		"a manifest from elsewhere":      {"manifests/latest", registry + "library/app/manifests/latest?to=" + store, 200, mostOfAnswer + 1, -1},
		"a token":                        {"blobs/x", "https://auth.example.com/token?scope=x", 200, mostOfAnswer + 1, -1},
		"a token in a blob's place":      {"blobs/x", registry + blob + "?scope=x", 200, mostOfAnswer + 1, -1},
		"a layer":                        {"blobs/x", registry + blob, 200, much, much},
		"a layer from elsewhere":         {"blobs/x", registry + blob + "#to=" + store, 200, much, much},
		"tags":                           {"tags/list", registry + "library/app/tags/list", 200, mostOfTags - perPage, mostOfTags - perPage},
		"many tags":                      {"tags/list", registry + "library/app/tags/list", 200, mostOfTags, -1},
		"many tags in a blob's place":    {"tags/list", registry + blob, 200, mostOfTags, -1},
		"an error":                       {"manifests/latest", registry + "library/app/manifests/latest", 404, much, mostOfError},
		"an error instead of a layer":    {"blobs/x", registry + blob, 403, much, mostOfError},
		"an answer to nobody's question": {"", registry, 200, mostOfAnswer + 1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			u := upstreamOf("https://registry.example.com", func(r *http.Request) *http.Response {
				if _, to, found := strings.Cut(r.URL.RawQuery+r.URL.Fragment, "to="); found {
					return answer(http.StatusTemporaryRedirect, 0, http.Header{"Location": {to}})
				}
				return answer(test.status, test.size, nil)
			})
			ctx, h := t.Context(), &heard{}
			if test.client != "" {
				ctx, h = heardFor(t, "GET /v2/library/app/"+test.client)
			}
			sent, err := u.get(t, ctx, test.engine)
			switch {
			case test.want >= 0 && (err != nil || sent != test.want):
				t.Errorf("%d bytes, %v; want %d", sent, err, test.want)
			case test.want < 0 && (!errors.Is(err, tooMuch) || test.client != "" && h.refusal != tooMuch):
				t.Errorf("%d bytes, %v, %v", sent, err, h.refusal)
			}
		})
	}
}

// TestPagesOfTags has a list of tags that never ends.
func TestPagesOfTags(t *testing.T) {
	u := upstreamOf("https://registry.example.com", func(*http.Request) *http.Response { return answer(http.StatusOK, 1000, nil) })
	ctx, _ := heardFor(t, "GET /v2/library/app/tags/list")
	pages := 0
	for ; pages < 10_000; pages++ {
		if _, err := u.get(t, ctx, "https://registry.example.com/v2/library/app/tags/list?last=x"); err != nil {
			break
		}
	}
	if pages < 1000 || pages > mostOfTags/perPage {
		t.Errorf("%d pages", pages)
	}
}

// TestEmptyPage has a page without tags that is not the last one.
func TestEmptyPage(t *testing.T) {
	const link = `</v2/library/app/tags/list?n=1>; rel="next"`
	for _, test := range []struct{ client, content, want string }{
		{"?n=1", `{"tags":[]}`, ""},
		{"?n=1", `{"tags":null}`, ""},
		{"?n=1", `{"tags":["a"]}`, link},
		// The engine continues by itself.
		{"", `{"tags":[]}`, link},
		{"?n=1", `what?`, link},
	} {
		u := upstreamOf("https://registry.example.com", func(*http.Request) *http.Response {
			response := answer(http.StatusOK, 0, http.Header{"Link": {link}})
			response.Body = io.NopCloser(strings.NewReader(test.content))
			return response
		})
		ctx, _ := heardFor(t, "GET /v2/library/app/tags/list"+test.client)
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://registry.example.com/v2/library/app/tags/list"+test.client, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := u.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(response.Body)
		if got := response.Header.Get("Link"); err != nil || string(content) != test.content || got != test.want {
			t.Errorf("%s %s: %q, %q, %v", test.client, test.content, got, content, err)
		}
	}
}

// TestPacked has an upstream compress layers with a format that takes half a gigabyte to decompress.
func TestPacked(t *testing.T) {
	asked := ""
	u := upstreamOf("https://registry.example.com", func(r *http.Request) *http.Response {
		asked = r.Header.Get("Accept-Encoding")
		return answer(http.StatusOK, 10, http.Header{"Content-Encoding": {"gzip, Zstd"}})
	})
	ctx, h := heardFor(t, "GET /v2/library/app/blobs/x")
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://registry.example.com/v2/library/app/blobs/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "zstd, gzip, deflate")
	if _, err := u.RoundTrip(request); !errors.Is(err, packed) || h.refusal != packed || asked != "identity" {
		t.Errorf("%v, %v, asked for %q", err, h.refusal, asked)
	}
}

// TestSwitched has an upstream switch to another protocol, and send without an end.
func TestSwitched(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "upgrade")
		w.Header().Set("Upgrade", "x")
		w.WriteHeader(http.StatusSwitchingProtocols)
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			defer conn.Close()
			_, _ = io.Copy(io.Discard, conn)
		}
	}))
	defer upstream.Close()
	u := newUpstream(upstream.URL, logrus.NewEntry(logrus.New()))
	for _, path := range []string{"/v2/library/app/manifests/latest", "/v2/library/app/tags/list", "/v2/library/app/blobs/x"} {
		ctx, h := heardFor(t, "GET "+path)
		if _, err := u.get(t, ctx, upstream.URL+path); !errors.Is(err, switched) || h.refusal != switched {
			t.Errorf("%s: %v, %v", path, err, h.refusal)
		}
	}
}

// TestInClear has an upstream with TLS ask for the login at an address without TLS.
func TestInClear(t *testing.T) {
	for _, test := range []struct {
		upstream, method, url, login string
		sent                         bool
	}{
		{"https://registry.example.com", "GET", "http://registry.example.com/token", "Basic x", false},
		{"HTTPS://registry.example.com", "GET", "http://registry.example.com/token", "Basic x", false},
		{"https://registry.example.com", "POST", "http://registry.example.com/token", "", false},
		{"https://registry.example.com", "GET", "https://registry.example.com/token", "Basic x", true},
		// This is like a store that the upstream redirects to.
		{"https://registry.example.com", "GET", "http://store.example.com/x", "", true},
		{"http://registry.example.com", "GET", "http://registry.example.com/token", "Basic x", true},
	} {
		sent := false
		u := upstreamOf(test.upstream, func(*http.Request) *http.Response {
			sent = true
			return answer(http.StatusOK, 0, nil)
		})
		ctx, h := heardFor(t, "GET /v2/library/app/manifests/latest")
		var body io.Reader
		if test.method == http.MethodPost {
			body = strings.NewReader("password=x")
		}
		request, err := http.NewRequestWithContext(ctx, test.method, test.url, body)
		if err != nil {
			t.Fatal(err)
		}
		if test.login != "" {
			request.Header.Set("Authorization", test.login)
		}
		_, err = u.RoundTrip(request)
		if sent != test.sent || sent != (err == nil) || !sent && !strings.HasSuffix(h.refusal.text, "without encryption: http://registry.example.com") || len(u.away) > 0 {
			t.Errorf("%+v: sent %t, %v", test, sent, err)
		}
	}
}

// TestFetched checks which requests may make a cache grow.
func TestFetched(t *testing.T) {
	const registry = "https://registry.example.com/v2/library/app/"
	for url, want := range map[string]bool{
		registry + "manifests/latest":                       true,
		registry + "blobs/x":                                true,
		registry + "blobs/x#to=https://store.example.com/a": true,
		registry + "tags/list":                              false,
		"https://auth.example.com/token?a=b":                false,
	} {
		u := upstreamOf("https://registry.example.com", func(r *http.Request) *http.Response {
			if _, to, found := strings.Cut(r.URL.Fragment, "to="); found {
				return answer(http.StatusTemporaryRedirect, 0, http.Header{"Location": {to}})
			}
			return answer(http.StatusOK, 0, nil)
		})
		ctx, h := heardFor(t, "GET /v2/library/app/manifests/latest")
		if _, err := u.get(t, ctx, url); err != nil || h.fetched != want {
			t.Errorf("%s: %t, %v", url, h.fetched, err)
		}
	}
}

// TestElsewhereAway has an upstream that responds, but redirects blobs to a host that does not.
func TestElsewhereAway(t *testing.T) {
	const registry, store = "https://registry.example.com/v2/library/app/", "https://store.example.com/a/b"
	asked := map[string]int{}
	u := upstreamOf("https://registry.example.com", func(r *http.Request) *http.Response {
		asked[r.URL.Host]++
		switch {
		case r.URL.Host == "store.example.com":
			return nil
		case strings.Contains(r.URL.Path, "/blobs/"):
			return answer(http.StatusTemporaryRedirect, 0, http.Header{"Location": {store}})
		}
		return answer(http.StatusOK, 0, nil)
	})
	for range 2 {
		ctx, h := heardFor(t, "GET /v2/library/app/blobs/x")
		if _, err := u.get(t, ctx, registry+"blobs/x"); err == nil || h.refusal == nil || !strings.HasSuffix(h.refusal.text, ": store.example.com") {
			t.Errorf("a blob: %v, %v", err, h.refusal)
		}
		ctx, _ = heardFor(t, "GET /v2/library/app/manifests/latest")
		if _, err := u.get(t, ctx, registry+"manifests/latest"); err != nil {
			t.Errorf("a tag: %v", err)
		}
	}
	if asked["registry.example.com"] != 4 || asked["store.example.com"] != 1 || u.seen.Away {
		t.Errorf("asked %v; %+v", asked, u.seen)
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	h := &heard{}
	if _, err := u.get(t, context.WithValue(ctx, heardKey{}, h), store); err == nil || h.refusal != nil && h.refusal != unreachable {
		t.Errorf("by a client that is gone: %v, %v", err, h.refusal)
	}
}
