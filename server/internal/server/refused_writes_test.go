package server

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"container-registry/server/internal/audit"
	"container-registry/server/internal/registrytest"
)

// TestRefusedWrites expects the audit log to say who tried what, except for what was not refused in the end.
func TestRefusedWrites(t *testing.T) {
	users := htpasswd(t, "alice", "wonder")
	content, err := os.ReadFile(users)
	if err != nil {
		t.Fatal(err)
	}
	content = fmt.Appendf(nil, "#!access alice push-pull team/*\n#!access carol pull\n%scarol%s", content, bytes.TrimPrefix(content, []byte("alice")))
	if err := os.WriteFile(users, content, 0o600); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	c := registrytest.Parse(t, inMemory+"auth: {htpasswd: {realm: registry, path: "+users+"}}\n")
	c.HTTP.Addr, c.Log.AccessLog.Disabled = "127.0.0.1:0", true
	settings := own{}
	settings.Audit.Folder = folder
	s, err := New(c, settings, nil, registrytest.Silent())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.listener.Close(); s.endApp() })

	const d = "sha256:4f5c0000000000000000000000000000000000000000000000000000000000ab"
	seen := 0
	for _, test := range []struct {
		method, path, user, password string
		status                       int
		want                         string
	}{
		{http.MethodPut, "team/app/manifests/latest", "carol", "wonder", 403,
			`"action":"push","kind":"manifest","user":"carol","address":"192.0.2.1","repository":"team/app","tag":"latest","size":2,"refused":true,"reason":"not allowed for this user"}`},
		{http.MethodPut, "other/manifests/latest", "alice", "wonder", 403, `"user":"alice","address":"192.0.2.1","repository":"other","tag":"latest"`},
		{http.MethodDelete, "team/app/manifests/latest", "carol", "wonder", 403, `"action":"delete","kind":"tag","user":"carol"`},
		{http.MethodDelete, "team/app/manifests/" + d, "carol", "wonder", 403, `"action":"delete","kind":"manifest","user":"carol","address":"192.0.2.1","repository":"team/app","digest":"` + d + `"`},
		{http.MethodDelete, "team/app/blobs/" + d, "carol", "wonder", 403, `"action":"delete","kind":"blob","user":"carol"`},
		{http.MethodPost, "team/app/blobs/uploads/", "carol", "wonder", 403, `"action":"push","kind":"blob","user":"carol"`},
		{http.MethodPost, "team/app/blobs/uploads/?mount=" + d + "&from=other", "carol", "wonder", 403, `"kind":"blob","user":"carol"`},
		{http.MethodPost, "team/app/blobs/uploads/?mount=" + d + "&from=other", "alice", "wonder", 202, ""},
		{http.MethodPut, "team/app/manifests/latest", "", "", 401, `"action":"push","kind":"manifest","address":"192.0.2.1","repository":"team/app","tag":"latest","size":2,"refused":true,"reason":"not logged in"}`},
		{http.MethodPut, "team/app/manifests/latest", "carol", "wrong", 401, `"action":"login","user":"carol","address":"192.0.2.1","reason":"wrong password"}`},
		{http.MethodGet, "other/manifests/latest", "alice", "wonder", 403, ""},
		{http.MethodPut, "team/app/manifests/latest", "alice", "wonder", 400, ""},
	} {
		name := fmt.Sprintf("%s %s of %q", test.method, test.path, test.user)
		r, answer := httptest.NewRequest(test.method, "/v2/"+test.path, strings.NewReader("{}")), httptest.NewRecorder()
		if test.user != "" {
			r.SetBasicAuth(test.user, test.password)
		}
		if s.http.Handler.ServeHTTP(answer, r); answer.Code != test.status {
			t.Errorf("%s: %d, want %d", name, answer.Code, test.status)
		}
		var out bytes.Buffer
		if err := audit.Show(t.Context(), folder, &out, false); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String()[seen:], "\n"), "\n")
		seen = out.Len()
		if len(lines) != 1 || !strings.Contains(lines[0], test.want) || test.want == "" && lines[0] != "" {
			t.Errorf("%s: %q", name, lines)
		}
	}
}
