package server

import (
	"math"
	"net/http"
	"runtime/debug"
	"testing"

	"container-registry/server/internal/registrytest"
)

// TestCrossOrigin sends requests as browsers do for pages of other sites.
func TestCrossOrigin(t *testing.T) {
	const (
		here, there, evil = "https://ui.example.com", "http://localhost:8080", "https://evil.example.com"
		answers           = "Access-Control-Expose-Headers: [Link], access-control-allow-credentials: ['true']"
		preflights        = "Access-Control-Allow-Methods: [GET, DELETE], Access-Control-Max-Age: ['60']"
		several           = "http: {headers: {X-Test: [given], Access-Control-Allow-Origin: ['" + here + "', '" + there + "'], " + answers + ", " + preflights + "}}\n"
		everybody         = "http: {headers: {Access-Control-Allow-Origin: ['*'], " + preflights + "}}\n"
	)
	for name, settings := range map[string]string{"several": several, "any": everybody, "none": ""} {
		i := start(t, registrytest.Parse(t, inMemory+"auth: {htpasswd: {realm: registry, path: "+htpasswd(t, "alice", "wonder")+"}}\n"+settings), &http.Client{})
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

// TestCrossOriginRefusals expects a page of another site to see that it is refused, and when to come back,
// whatever refuses it.
func TestCrossOriginRefusals(t *testing.T) {
	const (
		here, evil = "https://ui.example.com", "https://evil.example.com"
		settings   = "http: {headers: {Access-Control-Allow-Origin: ['" + here + "'], Access-Control-Expose-Headers: [Retry-After], Access-Control-Allow-Methods: [GET]}}\n"
	)
	login := "auth: {htpasswd: {realm: registry, limit: {failures: 1, window: 1h}, path: " + htpasswd(t, "alice", "wonder") + "}}\n"
	for _, test := range []struct {
		name    string
		memory  int64
		refused int
	}{
		{"too many failed logins", math.MaxInt64, http.StatusTooManyRequests},
		// That is room for no request at all.
		{"too many requests", 512 << 10, http.StatusServiceUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			usual := debug.SetMemoryLimit(test.memory)
			i := start(t, registrytest.Parse(t, inMemory+login+settings), &http.Client{})
			debug.SetMemoryLimit(usual)
			defer i.stop()
			ask := func(method, origin string) *http.Response {
				t.Helper()
				request, err := http.NewRequest(method, i.base+"/v2/", nil)
				if err != nil {
					t.Fatal(err)
				}
				request.SetBasicAuth("alice", "wrong")
				request.Header.Set("Origin", origin)
				if method == http.MethodOptions {
					request.Header.Set("Access-Control-Request-Method", http.MethodGet)
				}
				response, err := i.client.Do(request)
				if err != nil {
					t.Fatal(err)
				}
				body(t, response)
				return response
			}
			ask(http.MethodGet, here)
			for _, each := range []struct {
				method, origin string
				status         int
				allowed        string
			}{
				{http.MethodGet, here, test.refused, here},
				{http.MethodGet, evil, test.refused, ""},
				{http.MethodOptions, here, http.StatusNoContent, here},
				{http.MethodOptions, evil, test.refused, ""},
			} {
				response := ask(each.method, each.origin)
				exposed := response.Header.Get("Access-Control-Expose-Headers") != ""
				if got := response.Header.Get(allowOrigin); response.StatusCode != each.status || got != each.allowed || exposed != (got != "") {
					t.Errorf("%+v: %s, allowed %q, exposed %v", each, response.Status, got, exposed)
				}
				if response.StatusCode == test.refused && response.Header.Get("Retry-After") == "" {
					t.Errorf("%+v: no Retry-After", each)
				}
			}
		})
	}
}
