package server

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/access"
	"container-registry/server/internal/registrytest"
)

// TestLogOfStrangers has those without a login send what would turn the logs over.
func TestLogOfStrangers(t *testing.T) {
	var engine bytes.Buffer
	logrus.SetOutput(&engine)
	defer logrus.SetOutput(io.Discard)
	s, err := New(registrytest.Parse(t, inMemory+"http: {addr: '127.0.0.1:0'}\nlog: {accesslog: {disabled: true}}\nauth: {htpasswd: {realm: registry, path: "+
		htpasswd(t, "alice", "wonder")+"}}\n"), own{}, registrytest.Silent())
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
			t.Errorf("%q: %d lines: %.300s", authorization, lines, &engine)
		}
	}
}

// TestRoomForStrangers is little for what they get nothing by, where users log in.
func TestRoomForStrangers(t *testing.T) {
	for _, test := range []struct {
		name, path string
		controller *access.Controller
		status     int
		all        bool
	}{
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

// TestErrorLog has more connections fail than anybody needs to read of, and a panic among them.
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
