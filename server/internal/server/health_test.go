package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHealth(t *testing.T) {
	const blob = "/v2/team/app/blobs/sha256:0123"
	for _, test := range []struct {
		name, method, path string
		redirects          bool
		away, here         int
	}{
		{"the process lives", http.MethodGet, "/livez", false, 200, 200},
		{"it cannot be used", http.MethodGet, "/", false, 503, 200},
		{"a login", http.MethodGet, "/v2/", false, 418, 418},
		{"a token", http.MethodGet, "/v2/auth", false, 418, 418},
		{"a login under a prefix", http.MethodGet, "/registry/v2/", false, 418, 418},
		{"a blob of the store's", http.MethodGet, blob, true, 418, 418},
		{"a blob by way of the server", http.MethodGet, blob, false, 503, 418},
		{"a question for a blob", http.MethodHead, blob, true, 503, 418},
		{"a deletion", http.MethodDelete, blob, true, 503, 418},
		{"the state of an upload", http.MethodGet, "/v2/team/app/blobs/uploads/1", true, 503, 418},
		{"a manifest", http.MethodGet, "/v2/team/app/manifests/1", true, 503, 418},
		{"the catalog", http.MethodGet, "/v2/_catalog", true, 503, 418},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, state := range []struct {
				failing map[string]string
				want    int
			}{
				{map[string]string{"storagedriver_s3": "no route to 10.0.0.1"}, test.away},
				{nil, test.here},
			} {
				check := func(context.Context) map[string]string { return state.failing }
				engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
				recorder := httptest.NewRecorder()
				answerHealth(check, whileReady(check, test.redirects, engine)).ServeHTTP(recorder, httptest.NewRequest(test.method, test.path, nil))
				if recorder.Code != state.want {
					t.Errorf("%v: %d, want %d", state.failing, recorder.Code, state.want)
				}
				if recorder.Code == http.StatusServiceUnavailable && (recorder.Header().Get("Retry-After") != "10" ||
					recorder.Header().Get("Content-Type") != "application/json") {
					t.Errorf("headers: %v", recorder.Header())
				}
			}
		})
	}
}

func TestHealthTellsOfEarlierChecks(t *testing.T) {
	ready := func(context.Context) map[string]string { return nil }
	handler := answerHealth(ready, http.NotFoundHandler())
	for _, want := range []string{"", "yes"} {
		r := httptest.NewRequest(http.MethodGet, "/livez", nil)
		r.RemoteAddr = "127.0.0.1:40000"
		r.Header.Set("User-Agent", "registry-healthcheck")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		if got := recorder.Header().Get("Registry-Checked"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
