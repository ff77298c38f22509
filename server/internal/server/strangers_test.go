package server

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/access"
	"container-registry/server/internal/registrytest"
)

// engineLog is what the engine logs at its usual level.
func engineLog(t *testing.T) *bytes.Buffer {
	var engine bytes.Buffer
	level := logrus.GetLevel()
	logrus.SetOutput(&engine)
	logrus.SetLevel(logrus.WarnLevel)
	t.Cleanup(func() {
		logrus.SetOutput(io.Discard)
		logrus.SetLevel(level)
	})
	return &engine
}

// TestLogOfStrangers has clients without a login send enough to turn over the logs.
func TestLogOfStrangers(t *testing.T) {
	engine := engineLog(t)
	s, err := New(registrytest.Parse(t, inMemory+"http: {addr: '127.0.0.1:0'}\nlog: {accesslog: {disabled: true}}\nauth: {htpasswd: {realm: registry, path: "+
		htpasswd(t, "alice", "wonder")+"}}\n"), own{}, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	defer s.endApp()
	defer s.listener.Close()
	for authorization, most := range map[string]int{"": 0, "Basic x": 0, "Bearer x": 99} {
		engine.Reset()
		for range 300 {
			request := httptest.NewRequest(http.MethodGet, "/v2/team/app/manifests/1", nil)
			request.Header.Set("Authorization", authorization)
			recorder := httptest.NewRecorder()
			s.http.Handler.ServeHTTP(recorder, request)
			if recorder.Code != http.StatusUnauthorized {
				t.Fatal(recorder.Code)
			}
		}
		if lines := strings.Count(engine.String(), "\n"); lines > most {
			t.Errorf("%q: %d lines: %.300s", authorization, lines, engine)
		}
	}
}

// TestLogOfVisitors has clients that may pull without a login ask for what does not exist.
func TestLogOfVisitors(t *testing.T) {
	engine := engineLog(t)
	users := htpasswd(t, "alice", "wonder")
	content, err := os.ReadFile(users)
	if err == nil {
		err = os.WriteFile(users, append(content, "#!anonymous pull\n"...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(registrytest.Parse(t, inMemory+"http: {addr: '127.0.0.1:0'}\nlog: {accesslog: {disabled: true}}\nauth: {htpasswd: {realm: registry, path: "+users+"}}\n"), own{}, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	defer s.endApp()
	defer s.listener.Close()
	ask := func(path string, login func(*http.Request)) *httptest.ResponseRecorder {
		request, recorder := httptest.NewRequest(http.MethodGet, path, nil), httptest.NewRecorder()
		login(request)
		s.http.Handler.ServeHTTP(recorder, request)
		return recorder
	}
	var given struct{ Token string }
	if err := json.Unmarshal(ask("/v2/auth?scope=repository:app:pull", func(*http.Request) {}).Body.Bytes(), &given); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path  string
		login func(*http.Request)
		all   bool
	}{
		{"/v2/app/manifests/1", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+given.Token) }, false},
		{"/v2/app/blobs/sha256:0", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+given.Token) }, false},
		{"/v2/app/manifests/1", func(r *http.Request) { r.SetBasicAuth("alice", "wonder") }, true},
	} {
		engine.Reset()
		for range 300 {
			if code := ask(test.path, test.login).Code; code != http.StatusNotFound && code != http.StatusBadRequest {
				t.Fatal(code)
			}
		}
		if lines := strings.Count(engine.String(), "\n"); (lines >= 300) != test.all {
			t.Errorf("%s: %d lines: %.300s", test.path, lines, engine)
		}
	}
}

// TestRoomForStrangers expects little room for requests that get nothing, if users log in.
func TestRoomForStrangers(t *testing.T) {
	for _, test := range []struct {
		name, path string
		controller *access.Controller
		status     int
		all        bool
	}{
		{"a path put right", "/hub/v2//team/app/manifests/1", new(access.Controller), http.StatusMovedPermanently, false},
		{"pulled from the store", "/hub/v2/team/app/blobs/1", new(access.Controller), http.StatusTemporaryRedirect, true},
		{"refused", "/hub/v2/team/app/manifests/1", new(access.Controller), http.StatusUnauthorized, false},
		{"another path", "/else", new(access.Controller), http.StatusNotFound, false},
		{"the page's login", "/hub/ui/login", new(access.Controller), http.StatusOK, false},
		{"pulled by anybody", "/hub/v2/team/app/manifests/1", new(access.Controller), http.StatusOK, true},
		{"without users", "/hub/v2/team/app/manifests/1", nil, http.StatusNotFound, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := &Server{config: registrytest.Parse(t, inMemory+"http: {prefix: /hub}\n"), log: registrytest.Silent()}
			room := s.roomForStrangers(test.controller)
			lines := 0
			for range 1000 {
				if room(httptest.NewRequest(http.MethodGet, test.path, nil), test.status) {
					lines++
				}
			}
			if all := lines == 1000; all != test.all || lines == 0 {
				t.Errorf("%d lines", lines)
			}
		})
	}
}

// TestErrorLog has more connections fail than anybody needs to read about, and a panic among them.
func TestErrorLog(t *testing.T) {
	for text, all := range map[string]bool{
		"timeout waiting for SETTINGS frames from 192.0.2.1:4711":                      false,
		"http: TLS handshake error from 192.0.2.1:4711: remote error: bad certificate": false,
		"http: panic serving 192.0.2.1:4711: boom":                                     true,
	} {
		var out bytes.Buffer
		log := logrus.New()
		log.SetOutput(&out)
		errors := errorLog(logrus.NewEntry(log))
		for range 1000 {
			errors.Print(text)
		}
		if lines := strings.Count(out.String(), text); lines == 0 || (lines == 1000) != all {
			t.Errorf("%s: %d lines", text, lines)
		}
	}
}
