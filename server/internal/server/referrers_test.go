package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestWhoMayList asks for referrers as users who may pull and users who may not.
func TestWhoMayList(t *testing.T) {
	none := digest.FromString("nothing").String()
	for _, test := range []struct {
		users, path, login string
		want               int
	}{
		{"", "team/app", "alice:wonder", http.StatusOK},
		{"", "team/app", "", http.StatusUnauthorized},
		{"", "team/app", "alice:wrong", http.StatusUnauthorized},
		{"#!access alice pull team/*\n", "team/app", "alice:wonder", http.StatusOK},
		{"#!access alice pull team/*\n", "other/app", "alice:wonder", http.StatusForbidden},
		{"#!anonymous pull public/*\n", "public/app", "", http.StatusOK},
		{"#!anonymous pull public/*\n", "team/app", "", http.StatusUnauthorized},
	} {
		file := htpasswd(t, "alice", "wonder")
		hash, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, append(hash, test.users...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		i := start(t, registrytest.Parse(t, inMemory+"auth: {htpasswd: {realm: registry, path: "+file+"}}\nhttp: {headers: {X-Given: [yes]}}\n"), &http.Client{})
		request, err := http.NewRequest(http.MethodGet, i.base+"/v2/"+test.path+"/referrers/"+none, nil)
		if err != nil {
			t.Fatal(err)
		}
		if name, password, ok := strings.Cut(test.login, ":"); ok {
			request.SetBasicAuth(name, password)
		}
		response, err := i.client.Do(request)
		if err == nil && strings.HasPrefix(response.Header.Get("WWW-Authenticate"), "Bearer ") {
			body(t, response)
			request.Header.Set("Authorization", "Bearer "+i.token(t, "repository:"+test.path+":pull"))
			response, err = i.client.Do(request)
		}
		if err != nil {
			t.Fatal(err)
		}
		text := body(t, response)
		challenged := response.Header.Get("WWW-Authenticate") != ""
		if response.StatusCode != test.want || challenged != (test.want == http.StatusUnauthorized) || response.Header.Get("X-Given") != "yes" {
			t.Errorf("%s as %q with %q: %s %v %s", test.path, test.login, test.users, response.Status, response.Header, text)
		}
		i.stop()
	}
}

// token is a token for a client without a login.
func (i *instance) token(t *testing.T, scope string) string {
	t.Helper()
	var answer struct{ Token string }
	if err := json.Unmarshal(body(t, i.do(t, http.MethodGet, "/v2/auth?scope="+scope, nil)), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Token
}

// TestUnlistByToken has a client that may delete, with a token that covers nothing else.
func TestUnlistByToken(t *testing.T) {
	b := browse(t, pageConfig(t), "#!anonymous pull team-a/*\n")
	client := b.client(t, "alice")
	image := client.Push(t, "team-a/app", "1")
	signature := client.PushAbout(t, "team-a/app", "", image)
	client.PushIndex(t, "team-a/app", layout.ReferrersTag(image), signature, image)
	var given struct{ Token string }
	send := func(method, path string, login func(*http.Request)) *http.Response {
		request, err := http.NewRequestWithContext(t.Context(), method, b.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		login(request)
		response, err := b.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	asked := send(http.MethodGet, "/v2/auth?scope=repository:team-a/app:delete", func(r *http.Request) { r.SetBasicAuth("alice", "alice") })
	if err := json.Unmarshal(body(t, asked), &given); err != nil {
		t.Fatal(err)
	}
	response := send(http.MethodDelete, "/v2/team-a/app/manifests/"+signature.String(), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+given.Token) })
	if text := body(t, response); response.StatusCode != http.StatusAccepted {
		t.Errorf("%s: %s", response.Status, text)
	}
	var index v1.Index
	listed := send(http.MethodGet, "/v2/team-a/app/manifests/"+layout.ReferrersTag(image), func(r *http.Request) {
		r.SetBasicAuth("alice", "alice")
		r.Header.Set("Accept", v1.MediaTypeImageIndex)
	})
	if err := json.Unmarshal(body(t, listed), &index); err != nil || len(index.Manifests) != 1 || index.Manifests[0].Digest != image {
		t.Errorf("%s: %v %+v", listed.Status, err, index)
	}
}

// TestReferrersOfAStoreThatThrottles expects one log line, and not one for each request.
func TestReferrersOfAStoreThatThrottles(t *testing.T) {
	spy := registrytest.NewSpy(inmemory.New())
	config := registrytest.Config(t, spy)
	config.HTTP.Addr = "127.0.0.1:0"
	var said bytes.Buffer
	log := logrus.New()
	log.SetOutput(&said)
	s, err := New(config, own{}, nil, logrus.NewEntry(log))
	if err != nil {
		t.Fatal(err)
	}
	defer s.endApp()
	defer s.stopListening()
	said.Reset()
	spy.Before = func(action, path string) error {
		if strings.HasPrefix(path, layout.RepositoryPath("app")) {
			return errors.New("SlowDown: Please reduce your request rate.\n\tstatus code: 503, request id: 1")
		}
		return nil
	}
	for range 3 {
		answer := httptest.NewRecorder()
		s.http.Handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v2/app/referrers/"+digest.FromString("").String(), nil))
		if answer.Code != http.StatusServiceUnavailable {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	}
	if lines := strings.Count(said.String(), "\n"); lines != 1 {
		t.Errorf("%d lines: %s", lines, &said)
	}
}
