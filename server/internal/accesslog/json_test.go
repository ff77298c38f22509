package accesslog

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	r := httptest.NewRequest(http.MethodGet, "/v2/", nil)
	r.RequestURI = "/v2/team/app/tags/list?n=<1>"
	r.Header.Set("User-Agent", "docker/29")
	Handler(&out, "json", always, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		SetUser(r.Context(), "alice")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte("{}"))
	})).ServeHTTP(httptest.NewRecorder(), r)
	var got record
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse(time.RFC3339Nano, got.Time); err != nil || got.Seconds < 0 {
		t.Errorf("%+v", got)
	}
	got.Time, got.Seconds = "", 0
	want := record{Level: "info", Message: "request", Address: "192.0.2.1", User: "alice", Method: "GET",
		URI: "/v2/team/app/tags/list?n=<1>", Protocol: "HTTP/1.1", Status: 404, Bytes: 2, UserAgent: "docker/29"}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if !strings.Contains(out.String(), "n=<1>") {
		t.Errorf("not as it was asked: %s", out.String())
	}
}

// TestHostileJSON has clients that try to forge or fill lines.
func TestHostileJSON(t *testing.T) {
	for _, text := range []string{"\n{}", "\"", "\x1b[2J", "\u009b2J", "\u202e", "\xff", strings.Repeat("x", 32<<10), strings.Repeat("\x01", 32<<10)} {
		var out bytes.Buffer
		r := httptest.NewRequest(http.MethodGet, "/v2/", nil)
		r.Method, r.RequestURI = text, text
		r.Header.Set("User-Agent", text)
		r.Header.Set("Referer", text)
		Handler(&out, "json", always, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { SetUser(r.Context(), text) })).
			ServeHTTP(httptest.NewRecorder(), r)
		line, rest, _ := strings.Cut(out.String(), "\n")
		if rest != "" || len(line) > 3<<10 || !json.Valid([]byte(line)) {
			t.Errorf("%.20q: %d bytes: %.300q", text, len(line), out.String())
		}
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%.20q is not escaped: %.300q", text, line)
		}
	}
}
