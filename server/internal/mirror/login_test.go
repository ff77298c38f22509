package mirror

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLoginUnsent has an upstream ask for logins that the engine does not send.
func TestLoginUnsent(t *testing.T) {
	const registry, manifest = "https://registry.example.com", "https://registry.example.com/v2/library/app/manifests/latest"
	const unsent = "the upstream wants a login, and the mirror sends none"
	for name, test := range map[string]struct {
		open, anonymous     bool
		challenge, sent, to string
		want                string
	}{
		"by another domain":      {false, false, `Bearer realm="https://auth.example.org/token",service="x"`, "", manifest, unsent + " to auth.example.org, which is another domain: "},
		"by another port":        {false, false, `bearer service="x", realm="https://registry.example.com:5001/token"`, "", manifest, unsent + " to registry.example.com:5001, which is another domain: "},
		"that /v2/ doesn't want": {true, false, `Bearer realm="https://auth.example.org/token"`, "", manifest, unsent + ": its /v2/ asks for none: "},
		"of a mirror with none":  {false, true, `Basic realm="x"`, "", manifest, unsent + ": 401"},
		"of one with a token":    {false, true, `Bearer realm="x"`, "Bearer x", manifest, unsent + ": 401"},
		"at a token server, too": {false, true, "", "", registry + "/token?scope=x", unsent + ": 401"},
		"that was sent":          {false, false, `Basic realm="x"`, "Basic x", manifest, "the upstream refused the mirror's login: 401"},
		"without a challenge":    {true, false, "", "", manifest, "the upstream refused the mirror's login: 401"},
		"at a token server":      {false, false, `Basic realm="x"`, "", registry + "/token?scope=x", "the upstream refused the mirror's login: 401"},
	} {
		t.Run(name, func(t *testing.T) {
			u := upstreamOf(registry, func(r *http.Request) *http.Response {
				if r.URL.Path == "/v2/" && test.open {
					return answer(http.StatusOK, 0, nil)
				}
				response := answer(http.StatusUnauthorized, 0, nil)
				response.Status = "401 Unauthorized"
				if test.challenge != "" {
					response.Header.Set("WWW-Authenticate", test.challenge)
				}
				return response
			})
			u.anonymous = test.anonymous
			ctx, h := heardFor(t, "GET /v2/library/app/manifests/latest")
			for _, to := range []string{registry + "/v2/", test.to} {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
				if err != nil {
					t.Fatal(err)
				}
				if test.sent != "" {
					request.Header.Set("Authorization", test.sent)
				}
				if _, err := u.RoundTrip(request); err != nil {
					t.Fatal(err)
				}
			}
			if h.refusal == nil || !strings.HasPrefix(h.refusal.text, test.want) || !strings.HasPrefix(h.refusal.text, h.refusal.kind) {
				t.Errorf("%+v", h.refusal)
			}
		})
	}
}

// TestLoginStays has an upstream send the login to others.
func TestLoginStays(t *testing.T) {
	for _, test := range []struct {
		upstream, url string
		stray         bool
	}{
		{"http://127.0.0.1:1", "http://127.0.0.1:1/token", false},
		{"http://127.0.0.1:1", "http://127.0.0.1:2/token", true},
		{"http://127.0.0.1:1", "http://localhost:1/v2/library/app/blobs/x", true},
		{"http://192.0.2.1", "http://198.51.2.1", true},
		{"http://[2001:db8::1]:1", "http://[2001:db8::2]:1", true},
		{"http://up:1", "http://UP:1/token", false},
		{"http://up:1", "http://up:2/token", false},
		{"http://up:1", "http://token:1/token", true},
		{"https://registry.example.com", "https://auth.Example.com:5001/token", false},
		{"https://registry.example.com", "https://auth.example.org/token", true},
		{"https://registry.example.co.uk", "https://other.co.uk/token", true},
	} {
		for _, login := range []bool{true, false} {
			sent := false
			u := upstreamOf(test.upstream, func(*http.Request) *http.Response {
				sent = true
				return answer(http.StatusOK, 0, nil)
			})
			ctx, h := heardFor(t, "GET /v2/library/app/manifests/latest")
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, test.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if login {
				request.SetBasicAuth("u", "p")
			} else {
				request.Header.Set("Authorization", "Bearer x")
			}
			_, err = u.RoundTrip(request)
			if want := !(login && test.stray); sent != want || sent != (err == nil) || !sent && !strings.HasSuffix(h.refusal.text, "the mirror sends none to "+request.URL.Host+", which is another domain") {
				t.Errorf("%+v, a login %t: sent %t, %v", test, login, sent, err)
			}
		}
	}
}

// TestHowToLogIn expects the question to be asked again after a login was refused, and the old answer to be
// used if that fails.
func TestHowToLogIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const first, second = `Bearer realm="https://registry.example.com/token"`, `Basic realm="x"`
		asked, status, challenge := 0, http.StatusUnauthorized, first
		u := upstreamOf("https://registry.example.com", func(*http.Request) *http.Response {
			asked++
			return answer(status, 0, http.Header{"Www-Authenticate": {challenge}})
		})
		for i, step := range []struct {
			refused   *refusal
			wait      time.Duration
			status    int
			challenge string
			asked     int
			want      string
		}{
			{nil, 0, 401, first, 1, first},
			{nil, time.Hour, 401, second, 1, first},
			{another, time.Hour, 401, second, 1, first},
			{elsewhere("x"), 0, 401, second, 2, second},
			{elsewhere("x"), 0, 401, first, 2, second},
			{nil, pause, 503, "", 3, second},
			{elsewhere("x"), pause, 200, "", 4, ""},
			{nil, 0, 401, first, 5, first},
		} {
			u.noteRefusal(step.refused)
			time.Sleep(step.wait)
			status, challenge = step.status, step.challenge
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://registry.example.com/v2/", nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := u.RoundTrip(request)
			if err != nil || asked != step.asked || response.Header.Get("WWW-Authenticate") != step.want || response.Request == nil {
				t.Errorf("%d: asked %d times; %+v, %v", i, asked, response, err)
			}
		}
	})
}
