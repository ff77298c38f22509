package mirror_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"container-registry/server/internal/registrytest"
)

// door lets in clients with the login that is wanted at the moment.
type door struct {
	url string
	// wants is "Basic", or the address of a token server; empty for no login.
	wants atomic.Value
	// token is what a token server says instead of a token.
	token atomic.Pointer[httptest.ResponseRecorder]
}

// before is a door of an upstream that wants no login itself.
func before(t *testing.T, upstream *upstream, wants string) *door {
	d := &door{}
	d.wants.Store(wants)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wants := d.wants.Load().(string)
		_, password, _ := r.BasicAuth()
		token := d.token.Load()
		switch {
		case r.URL.Path == wants && token != nil:
			w.WriteHeader(token.Code)
			_, _ = w.Write(token.Body.Bytes())
		case r.URL.Path == wants:
			fmt.Fprintf(w, `{"token":"valid%s"}`, wants)
		case wants == "Basic" && password != upstreamPassword:
			w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
			w.WriteHeader(http.StatusUnauthorized)
		case strings.HasPrefix(wants, "/") && r.Header.Get("Authorization") != "Bearer valid"+wants:
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s%s",service="test"`, d.url, wants))
			w.WriteHeader(http.StatusUnauthorized)
		default:
			upstream.server.Config.Handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// TestMirrorWithoutToken has a token server that responds, but gives no token.
func TestMirrorWithoutToken(t *testing.T) {
	const secret = "t0ken"
	d := before(t, newUpstream(t, ""), "/token")
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: d.url, ttl: "1h", login: true}
	m.start()
	for _, test := range []struct {
		status     int
		body, want string
	}{
		{http.StatusOK, "<html>", ": 200 OK\""},
		{http.StatusOK, "{}", ": 200 OK\""},
		{http.StatusOK, `{"token":"` + secret + `","expires_in":"300"}`, ": 200 OK\""},
		{http.StatusNoContent, "", ": 204 No Content\""},
		{http.StatusBadRequest, `{"details":"no such scope"}`, ": 400 Bad Request: no such scope\""},
		{http.StatusNotFound, "", ": 404 Not Found\""},
		{http.StatusGone, "", ": 410 Gone\""},
	} {
		token := httptest.NewRecorder()
		token.Code = test.status
		token.Body.WriteString(test.body)
		d.token.Store(token)
		for _, path := range []string{"manifests/latest", "manifests/" + absent, "blobs/" + absent, "tags/list", "referrers/" + absent} {
			if status, content := m.get(path); status != http.StatusServiceUnavailable || !strings.Contains(string(content), "the upstream's token server gives no token"+test.want) {
				t.Errorf("%d %s: %s: %d: %s", test.status, test.body, path, status, content)
			}
		}
	}
	d.token.Store(nil)
	m.pull()
	m.kill()
	if log := m.log.String(); !strings.Contains(log, `level=warning msg="the upstream's token server gives no token: 200 OK; what is cached is served"`) || strings.Contains(log, secret) {
		t.Errorf("the log is:\n%s", log)
	}
}

// TestMirrorFollowsLogins has an upstream change how to log in.
func TestMirrorFollowsLogins(t *testing.T) {
	for name, test := range map[string]struct {
		before, after string
		login         bool
	}{
		"tokens to passwords":             {"/token", "Basic", true},
		"tokens to others":                {"/token", "/moved", true},
		"tokens to nothing":               {"/token", "", true},
		"passwords to tokens":             {"Basic", "/token", true},
		"nothing to passwords":            {"", "Basic", true},
		"nothing to tokens for all":       {"", "/token", false},
		"passwords to tokens for all":     {"Basic", "/token", false},
		"passwords for others to nothing": {"Basic", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream := newUpstream(t, "")
			d := before(t, upstream, test.before)
			m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: d.url, ttl: "1h", login: test.login}
			m.start()
			if test.login || test.before != "Basic" {
				m.pull()
			} else {
				for _, path := range []string{"manifests/latest", "manifests/" + absent, "blobs/" + absent, "tags/list", "referrers/" + absent} {
					if status, content := m.get(path); status != http.StatusUnauthorized || !strings.Contains(string(content), "the upstream wants a login, and the mirror sends none: 401 Unauthorized") {
						t.Errorf("%s: %d: %s", path, status, content)
					}
				}
			}
			d.wants.Store(test.after)
			next := upstream.push.Push(t, "library/app", "latest", registrytest.Layer(2, 1000))
			m.until("the next image", func() bool {
				response, _ := m.ask("manifests/latest")
				return response.Header.Get("Docker-Content-Digest") == next.String()
			})
			m.kill()
			log := m.log.String()
			if stale := test.before != "" && (test.login || test.before != "Basic"); stale && !strings.Contains(log, "; what is cached is served") {
				t.Errorf("the log is:\n%s", log)
			}
		})
	}
}

// TestMirrorLoginRedirected has an upstream that sends the mirror to another host, even for how to log in.
func TestMirrorLoginRedirected(t *testing.T) {
	var stolen atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			stolen.Store(true)
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer other.Close()
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer upstream.Close()
	m := &mirrorProcess{t: t, folder: t.TempDir(), upstream: upstream.URL, ttl: "1h", login: true}
	m.start()
	for _, path := range []string{"manifests/latest", "manifests/" + absent, "blobs/" + absent, "tags/list", "referrers/" + absent} {
		if status, content := m.get(path); status != http.StatusUnauthorized || !strings.Contains(string(content), "the mirror sends none to localhost:") {
			t.Errorf("%s: %d: %s", path, status, content)
		}
	}
	if stolen.Load() {
		t.Error("the other host got the login")
	}
}
