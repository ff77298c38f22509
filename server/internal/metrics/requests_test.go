package metrics

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestRoutes(t *testing.T) {
	for asked, want := range map[string]string{
		"/":                           "health",
		"/livez":                      "health",
		"/p/v2/":                      "ping",
		"/v2/":                        "other",
		"/p/v2/auth":                  "token",
		"/p/ui/":                      "page",
		"/p/v2/_catalog":              "catalog",
		"/p/v2/a/tags/list":           "tags",
		"/p/v2/a/manifests/latest":    "manifest",
		"/p/v2/a/manifests/tags/list": "tags",
		"/p/v2/a/blobs/sha256:0":      "blob",
		"/p/v2/a/blobs/uploads/":      "upload",
		"/p/v2/a/blobs/uploads/1":     "upload",
		"/p/v2/a/referrers/sha256:0":  "referrers",
		"/p/v2/uploads":               "other",
		"/p/v2":                       "other",
		"/../etc/passwd":              "other",
	} {
		if got := CountRequests("/p/").route(asked); got != want {
			t.Errorf("%s: %s, want %s", asked, got, want)
		}
	}
	if got := CountRequests("").route("/v2/a/manifests/1"); got != "manifest" {
		t.Errorf("without a prefix: %s", got)
	}
}

// TestRequests expects requests to be counted by their outcome; no label has a value that the client chose.
func TestRequests(t *testing.T) {
	requests := CountRequests("")
	for _, each := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/v2/", 0},
		{http.MethodGet, "/v2/", http.StatusOK},
		{"BREW", "/v2/" + strings.Repeat("x", 1000), http.StatusNotFound},
		{http.MethodPut, "/v2/app/manifests/1", http.StatusUnauthorized},
		{http.MethodPut, "/v2/app/manifests/1", http.StatusForbidden},
		{http.MethodPut, "/v2/app/manifests/1", http.StatusMethodNotAllowed},
		{http.MethodPut, "/v2/app/manifests/1", http.StatusBadRequest},
		{http.MethodPut, "/v2/app/manifests/1", http.StatusCreated},
		{http.MethodPatch, "/v2/app/blobs/uploads/1", clientLeft},
		{http.MethodPatch, "/v2/app/blobs/uploads/1", http.StatusServiceUnavailable},
		{http.MethodPost, "/v2/app/blobs/uploads/", http.StatusTooManyRequests},
		{http.MethodPost, "/v2/app/blobs/uploads/", http.StatusInternalServerError},
		{http.MethodGet, "/v2/app/manifests/1", http.StatusForbidden},
		{http.MethodDelete, "/v2/app/manifests/1", http.StatusForbidden},
	} {
		handler := requests.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if each.status != 0 {
				w.WriteHeader(http.StatusEarlyHints)
				w.WriteHeader(each.status)
			}
		}))
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(each.method, each.path, nil))
	}
	for reason, want := range map[string]float64{"denied": 1, "read-only": 1, "invalid": 1, "unavailable": 1, "limited": 1, "failed": 1} {
		if got := testutil.ToFloat64(requests.refused.WithLabelValues(reason)); got != want {
			t.Errorf("%s: %v", reason, got)
		}
	}
	if n := testutil.CollectAndCount(requests.refused); n != 6 {
		t.Errorf("%d reasons", n)
	}
	if got := testutil.ToFloat64(requests.all.WithLabelValues("ping", "GET", "200")); got != 2 {
		t.Errorf("%v pings", got)
	}
	if got := testutil.ToFloat64(requests.all.WithLabelValues("other", "other", "404")); got != 1 {
		t.Errorf("%v of no known method", got)
	}
}
