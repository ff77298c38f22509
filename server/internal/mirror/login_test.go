package mirror

import (
	"net/http"
	"strings"
	"testing"
)

// TestLoginUnsent has an upstream want logins that the engine doesn't send.
func TestLoginUnsent(t *testing.T) {
	const registry, manifest = "https://registry.example.com", "https://registry.example.com/v2/library/app/manifests/latest"
	const unsent = "the upstream wants a login, and the mirror sends none"
	for name, test := range map[string]struct {
		open                bool
		challenge, sent, to string
		want                string
	}{
		"by another domain":      {false, `Bearer realm="https://auth.example.org/token",service="x"`, "", manifest, unsent + " to auth.example.org, which is another domain: "},
		"by another port":        {false, `bearer service="x", realm="https://registry.example.com:5001/token"`, "", manifest, unsent + " to registry.example.com:5001, which is another domain: "},
		"that /v2/ doesn't want": {true, `Bearer realm="https://auth.example.org/token"`, "", manifest, unsent + ": its /v2/ asks for none: "},
		"of a mirror with none":  {false, `Basic realm="x"`, "", manifest, unsent + ": 401"},
		"that was sent":          {false, `Basic realm="x"`, "Basic x", manifest, "the upstream refused the mirror's login: 401"},
		"without a challenge":    {true, "", "", manifest, "the upstream refused the mirror's login: 401"},
		"at a token server":      {false, `Basic realm="x"`, "", registry + "/token?scope=x", "the upstream refused the mirror's login: 401"},
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
