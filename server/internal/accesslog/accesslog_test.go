package accesslog

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func always(*http.Request, int) bool { return true }

func TestLine(t *testing.T) {
	tests := []struct {
		name   string
		change func(*http.Request)
		answer http.HandlerFunc
		want   string
	}{
		{"plain", func(*http.Request) {}, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") },
			`192.0.2.1 - - [TIME] "GET /v2/ HTTP/1.1" 200 2 "" ""`},
		{"with a user", func(r *http.Request) {
			r.Header.Set("User-Agent", "docker/28")
			r.Header.Set("Referer", "https://x/")
			r.SetBasicAuth("alice", "hunter2")
		}, func(w http.ResponseWriter, r *http.Request) {
			SetUser(r.Context(), "alice")
			w.WriteHeader(http.StatusNotFound)
		}, `192.0.2.1 - alice [TIME] "GET /v2/ HTTP/1.1" 404 0 "https://x/" "docker/28"`},
		{"forged", func(r *http.Request) {
			r.Header.Set("User-Agent", "a\" 200 \"\nb\\c\x7f\xff")
			r.RequestURI = `/v2/"x`
		}, func(_ http.ResponseWriter, r *http.Request) { SetUser(r.Context(), "a b\n[c") },
			`192.0.2.1 - a_b\x0a[c [TIME] "GET /v2/\"x HTTP/1.1" 200 0 "" "a\" 200 \"\x0ab\\c\x7f\xff"`},
		{"announced", func(*http.Request) {}, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusCreated)
			w.WriteHeader(http.StatusBadRequest)
		}, `192.0.2.1 - - [TIME] "GET /v2/ HTTP/1.1" 201 0 "" ""`},
		{"on a socket", func(r *http.Request) { r.RemoteAddr = "@" }, func(http.ResponseWriter, *http.Request) {},
			`@ - - [TIME] "GET /v2/ HTTP/1.1" 200 0 "" ""`},
	}
	timeStamp := regexp.MustCompile(`\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]`)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			r := httptest.NewRequest(http.MethodGet, "/v2/", nil)
			test.change(r)
			Handler(&out, "text", always, test.answer).ServeHTTP(httptest.NewRecorder(), r)
			if got := timeStamp.ReplaceAllString(out.String(), "[TIME]"); got != test.want+"\n" {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// TestLong has clients that try to fill the log.
func TestLong(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 32<<10), strings.Repeat("\xff", 32<<10)} {
		var out bytes.Buffer
		r := httptest.NewRequest(http.MethodGet, "/v2/", nil)
		r.Method, r.RequestURI = text, text
		r.Header.Set("User-Agent", text)
		r.Header.Set("Referer", text)
		Handler(&out, "text", always, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(httptest.NewRecorder(), r)
		if line := out.String(); len(line) > 2<<10 || strings.Count(line, "...") != 4 {
			t.Errorf("%d bytes: %.300s", len(line), line)
		}
	}
}

func TestPanicIsLogged(t *testing.T) {
	var out bytes.Buffer
	func() {
		defer func() { _ = recover() }()
		Handler(&out, "text", always, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v2/", nil))
	}()
	if !strings.Contains(out.String(), `"GET /v2/ HTTP/1.1"`) {
		t.Errorf("logged %q", out.String())
	}
}

func BenchmarkHandler(b *testing.B) {
	handler := Handler(io.Discard, "text", always, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { SetUser(r.Context(), "alice") }))
	r := httptest.NewRequest(http.MethodGet, "/v2/team/app/manifests/latest", nil)
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
}

// TestRoom checks that only requests without a user need room.
func TestRoom(t *testing.T) {
	for user, lines := range map[string]int{"": 0, "alice": 1} {
		var out bytes.Buffer
		never := func(_ *http.Request, status int) bool { return status != http.StatusUnauthorized }
		Handler(&out, "text", never, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			SetUser(r.Context(), user)
			w.WriteHeader(http.StatusUnauthorized)
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/v2/", nil))
		if got := strings.Count(out.String(), "\n"); got != lines {
			t.Errorf("%q: %d lines", user, got)
		}
	}
}
