package mirror

import (
	"fmt"
	"io"
	"net/http"
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
