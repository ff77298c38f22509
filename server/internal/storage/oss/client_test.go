package oss

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDialBucket(t *testing.T) {
	unresolved := &net.DNSError{Err: "no such host", IsNotFound: true}
	for _, test := range []struct {
		name, endpoint, address string
		answer                  error
		want                    []string
	}{
		{"a name", "https://oss.example", "b.oss.example:443", nil, []string{"b.oss.example:443"}},
		{"an unknown name", "https://oss.example", "b.oss.example:443", unresolved, []string{"b.oss.example:443"}},
		{"an IP address", "http://192.0.2.1:9000", "b.192.0.2.1:9000", nil, []string{"192.0.2.1:9000"}},
		{"localhost, resolved", "http://oss.localhost:9000", "b.oss.localhost:9000", nil, []string{"b.oss.localhost:9000"}},
		{"localhost, unresolved", "http://oss.localhost:9000", "b.oss.localhost:9000", unresolved, []string{"b.oss.localhost:9000", "localhost:9000"}},
		{"localhost, refused", "http://oss.localhost:9000", "b.oss.localhost:9000", errors.New("refused"), []string{"b.oss.localhost:9000"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			endpoint, err := url.Parse(test.endpoint)
			if err != nil {
				t.Fatal(err)
			}
			var dialled []string
			dial := dialBucket(func(_ context.Context, _, address string) (net.Conn, error) {
				dialled = append(dialled, address)
				return nil, test.answer
			}, endpoint)
			dial(t.Context(), "tcp", test.address)
			if !slices.Equal(dialled, test.want) {
				t.Errorf("dialled %v", dialled)
			}
		})
	}
}

func TestRedirect(t *testing.T) {
	dialElsewhere(t, func(address string) string {
		_, port, _ := net.SplitHostPort(address)
		return net.JoinHostPort("127.0.0.1", port)
	})
	_, params := startOSS(t)
	d := newTestDriver(t, named(params))
	if err := d.PutContent(t.Context(), "/a/b", []byte("content")); err != nil {
		t.Fatal(err)
	}
	redirect := func(method string) string {
		t.Helper()
		signed, err := d.RedirectURL(httptest.NewRequest(method, "/", nil), "/a/b")
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	if got := redirect(http.MethodPut); got != "" {
		t.Errorf("PUT is redirected to %s", got)
	}
	signed := redirect(http.MethodGet)
	if !strings.HasPrefix(signed, "http://registry.oss.localhost:") || !strings.Contains(signed, "x-oss-signature-version=OSS4-HMAC-SHA256") ||
		strings.Contains(signed, testSecret) {
		t.Errorf("redirect: %s", signed)
	}
	u, err := url.Parse(signed)
	if err != nil || u.Query().Get("x-oss-expires") != "1200" && u.Query().Get("x-oss-expires") != "1199" {
		t.Errorf("expires after %s", u.Query().Get("x-oss-expires"))
	}
	// A client may ask for a part of the layer, with headers of its own.
	request, err := http.NewRequest(http.MethodGet, signed, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Range", "bytes=3-")
	request.Header.Set("Accept", "application/vnd.oci.image.layer.v1.tar+gzip")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusPartialContent || string(body) != "tent" {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	for name, changed := range map[string]string{
		"another object": strings.Replace(signed, "/a/b", "/a/c", 1),
		"later":          strings.Replace(signed, "x-oss-expires=1", "x-oss-expires=2", 1),
	} {
		response, err := http.Get(changed)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", name, response.StatusCode)
		}
	}
}

func TestNoRedirectToAnAddress(t *testing.T) {
	_, params := startOSS(t)
	signed, err := newTestDriver(t, params).RedirectURL(httptest.NewRequest(http.MethodGet, "/", nil), "/a")
	if signed != "" || err != nil {
		t.Errorf("got %q %v", signed, err)
	}
}

func TestUserAgent(t *testing.T) {
	s, params := startOSS(t)
	params["useragent"] = "distribution/v3"
	newTestDriver(t, params)
	if r := s.Requests(); len(r) != 1 || !strings.HasSuffix(r[0].UserAgent, "/distribution/v3") {
		t.Errorf("%+v", r)
	}
}

// Downloads that stand still must not keep other requests waiting.
func TestManyDownloads(t *testing.T) {
	_, params := startOSS(t)
	d := newTestDriver(t, params)
	if err := d.PutContent(t.Context(), "/large", pattern(8<<20)); err != nil {
		t.Fatal(err)
	}
	for range 120 {
		r, err := d.Reader(t.Context(), "/large", 0)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := d.Stat(ctx, "/large"); err != nil {
		t.Error(err)
	}
}

// The timeouts must fit together: a check that gives up before a connection
// does would never say why.
func TestTimeouts(t *testing.T) {
	if 2*connectTimeout+time.Second > checkTimeout {
		t.Errorf("the check ends before two attempts to connect do")
	}
}
