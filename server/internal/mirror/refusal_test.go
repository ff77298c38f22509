package mirror

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRefusalOf(t *testing.T) {
	long := strings.Repeat("long ", 2000)
	for name, test := range map[string]struct {
		status     int
		body, want string
	}{
		"about the image":    {404, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"unknown"}]}`, ""},
		"by the API":         {429, `{"errors":[{"code":"TOOMANYREQUESTS","message":"come back"}]}`, "the upstream's limit of pulls is reached: 429 X: toomanyrequests: come back"},
		"by a token server":  {401, `{"details":"incorrect username or password"}`, "the upstream refused the mirror's login: 401 X: incorrect username or password"},
		"by a gateway":       {502, "<p>bad\n\n gateway</p>", "the upstream failed: 502 X: <p>bad gateway</p>"},
		"without words":      {403, "", "the upstream denied access to the mirror's login: 403 X"},
		"with too many":      {503, long, "the upstream failed: 503 X: " + long[:200] + "…"},
		"with another shape": {403, `[1]`, "the upstream denied access to the mirror's login: 403 X: [1]"},
	} {
		t.Run(name, func(t *testing.T) {
			response := &http.Response{StatusCode: test.status, Status: fmt.Sprint(test.status, " X"), Body: io.NopCloser(strings.NewReader(test.body))}
			got := ""
			if isRefused(response) {
				got = asRefusal(response).text
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			if left, err := io.ReadAll(response.Body); err != nil || string(left) != test.body {
				t.Errorf("the engine reads %d bytes of %d, %v", len(left), len(test.body), err)
			}
		})
	}
}

// TestHandler expects clients to be told what the upstream said.
func TestHandler(t *testing.T) {
	u := upstreamOf("https://upstream.example.com", func(*http.Request) *http.Response { return answer(http.StatusTooManyRequests, 0, nil) })
	engine := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, u.url+r.URL.Path, nil)
		if _, err := u.RoundTrip(asked); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusNotFound)
	})
	client := httptest.NewRecorder()
	u.Handler(engine, "", func(Pull) { t.Error("a pull is told of") }).ServeHTTP(client, httptest.NewRequest(http.MethodGet, "/v2/app/manifests/1", nil))
	if client.Code != http.StatusTooManyRequests || u.State().Refusal != refusals[http.StatusTooManyRequests].text {
		t.Errorf("%d, %+v", client.Code, u.State())
	}
}
