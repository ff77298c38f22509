package server

import (
	"net/http"
	"testing"
)

// TestCrossOrigin asks as browsers do for pages of other sites.
func TestCrossOrigin(t *testing.T) {
	const (
		here, there, evil = "https://ui.example.com", "http://localhost:8080", "https://evil.example.com"
		answers           = "Access-Control-Expose-Headers: [Link], access-control-allow-credentials: ['true']"
		preflights        = "Access-Control-Allow-Methods: [GET, DELETE], Access-Control-Max-Age: ['60']"
		several           = "http: {headers: {X-Test: [given], Access-Control-Allow-Origin: ['" + here + "', '" + there + "'], " + answers + ", " + preflights + "}}\n"
		everybody         = "http: {headers: {Access-Control-Allow-Origin: ['*'], " + preflights + "}}\n"
	)
	for name, settings := range map[string]string{"several": several, "any": everybody, "none": ""} {
		i := start(t, parsed(t, inMemory+"auth: {htpasswd: {realm: registry, path: "+htpasswd(t, "alice", "wonder")+"}}\n"+settings), &http.Client{})
		defer i.stop()
		for _, test := range []struct {
			settings, method, origin, password string
			status                             int
			allowed                            string
		}{
			{"several", http.MethodOptions, here, "", http.StatusNoContent, here},
			{"several", http.MethodOptions, there, "", http.StatusNoContent, there},
			{"several", http.MethodOptions, evil, "", http.StatusUnauthorized, ""},
			{"several", http.MethodOptions, "", "", http.StatusUnauthorized, ""},
			{"several", http.MethodOptions, here + ", " + there, "", http.StatusUnauthorized, ""},
			{"several", http.MethodGet, here, "wonder", http.StatusOK, here},
			{"several", http.MethodGet, here, "wrong", http.StatusUnauthorized, here},
			{"several", http.MethodGet, evil, "wonder", http.StatusOK, ""},
			{"several", http.MethodGet, "", "wonder", http.StatusOK, ""},
			{"any", http.MethodOptions, evil, "", http.StatusNoContent, "*"},
			{"any", http.MethodGet, evil, "wonder", http.StatusOK, "*"},
			{"none", http.MethodOptions, here, "", http.StatusUnauthorized, ""},
			{"none", http.MethodGet, here, "wonder", http.StatusOK, ""},
		} {
			if test.settings != name {
				continue
			}
			request, err := http.NewRequest(test.method, i.base+"/v2/", nil)
			if err != nil {
				t.Fatal(err)
			}
			if test.origin != "" {
				request.Header.Set("Origin", test.origin)
			}
			if test.method == http.MethodOptions {
				request.Header.Set("Access-Control-Request-Method", "DELETE")
			}
			if test.password != "" {
				request.SetBasicAuth("alice", test.password)
			}
			response, err := i.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			body(t, response)
			if response.StatusCode != test.status {
				t.Errorf("%+v: %s", test, response.Status)
			}
			allowed := test.allowed != ""
			vary, origins := 0, 0
			if name == "several" {
				vary = 1
			}
			if allowed {
				origins = 1
			}
			exposed, methods := 0, 0
			if allowed && name == "several" {
				exposed = 1
			}
			if allowed && test.method == http.MethodOptions {
				methods = 2
			}
			for header, want := range map[string]int{
				"Vary": vary, allowOrigin: origins,
				"Access-Control-Expose-Headers": exposed, "Access-Control-Allow-Credentials": exposed,
				"Access-Control-Allow-Methods": methods,
			} {
				if got := response.Header.Values(header); len(got) != want {
					t.Errorf("%+v: %s is %q, want %d", test, header, got, want)
				}
			}
			if got := response.Header.Get(allowOrigin); got != test.allowed {
				t.Errorf("%+v: allowed is %q", test, got)
			}
		}
	}
}
