package server

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"container-registry/server/internal/audit"
)

// TestRefusedForms expects the audit log to say who tried what on the page, as it does for API clients.
func TestRefusedForms(t *testing.T) {
	const (
		d     = "sha256:4f5c0000000000000000000000000000000000000000000000000000000000ab"
		where = `"address":"127.0.0.1","useragent":"Go-http-client/1.1"`
	)
	long := strings.Repeat("x", 300)
	folder := t.TempDir()
	b := browseWith(t, pageConfig(t), people, func(settings *own) { settings.Audit.Folder = folder })
	sessions := map[string]*browser{"": b, "alice": b.as(t, "alice"), "bob": b.as(t, "bob"), "carol": b.as(t, "carol")}
	elsewhere := http.Header{"Sec-Fetch-Site": {"cross-site"}}
	seen := 0
	for _, test := range []struct {
		name, path, user string
		form             url.Values
		header           http.Header
		status           int
		// want is empty for a form that gets no line.
		want string
	}{
		{"a wrong password", "login", "", url.Values{"user": {"carol"}, "password": {"hunter2"}}, nil, 401,
			`"action":"login","user":"carol",` + where + `,"reason":"wrong password"}`},
		{"an unknown user", "login", "", url.Values{"user": {"hunter2"}, "password": {"carol"}}, nil, 401, `"action":"login",` + where + `,"reason":"unknown user"}`},
		{"a deletion by who may pull", "delete", "carol", url.Values{"repository": {"team-a/app"}, "tag": {"1", "2"}}, nil, 403,
			`"action":"delete","kind":"tag","user":"carol",` + where + `,"repository":"team-a/app","tag":"1","refused":true,"reason":"not allowed for this user"}`},
		{"a confirmed one", "delete", "carol", url.Values{"repository": {"team-a/app"}, "confirmed": {"yes"}, "named": {"1@" + d}}, nil, 403,
			`"action":"delete","kind":"tag","user":"carol",` + where + `,"repository":"team-a/app","tag":"1","refused":true`},
		{"one by digest, of others", "delete", "bob", url.Values{"repository": {"team-a/app"}, "digest": {d}}, nil, 404,
			`"action":"delete","kind":"manifest","user":"bob",` + where + `,"repository":"team-a/app","digest":"` + d + `","refused":true,"reason":"not allowed for this user"}`},
		{"one of nothing", "delete", "carol", url.Values{"repository": {"team-a/app"}, "tag": {long}, "digest": {"sha256:" + long}}, nil, 403,
			`"action":"delete","user":"carol",` + where + `,"repository":"team-a/app","refused":true,"reason":"not allowed for this user"}`},
		{"one from no repository", "delete", "carol", url.Values{"repository": {"../" + long}, "tag": {"1"}}, nil, 404, ""},
		{"one by nobody", "delete", "", url.Values{"repository": {"team-a/app"}, "tag": {"1"}}, nil, 303,
			`"action":"delete","kind":"tag",` + where + `,"repository":"team-a/app","tag":"1","refused":true,"reason":"not logged in"}`},
		{"one that is fine", "delete", "alice", url.Values{"repository": {"team-a/app"}, "tag": {"1"}}, nil, 400, ""},
		{"a collection", "collect", "bob", nil, nil, 403, `"action":"collect","user":"bob",` + where + `,"refused":true,"reason":"not allowed for this user"}`},
		{"a collection by who may", "collect", "alice", nil, nil, 303, `"action":"collect","user":"alice",` + where + `}`},
		{"a look at what it would delete", "preview", "bob", nil, nil, 403, `"action":"preview","user":"bob",` + where + `,"refused":true`},
		{"a deletion that another page sends", "delete", "alice", url.Values{"repository": {"team-a/app"}, "tag": {"1"}, "more": {long}}, elsewhere, 403,
			`"action":"delete","kind":"tag","user":"alice",` + where + `,"repository":"team-a/app","tag":"1","refused":true,"reason":"sent by another page"}`},
		{"a login that another page sends", "login", "", url.Values{"user": {"hunter2"}, "password": {"hunter2"}}, elsewhere, 403,
			`"action":"login",` + where + `,"refused":true,"reason":"sent by another page"}`},
		{"nothing that another page sends", long, "alice", nil, elsewhere, 403, ""},
	} {
		header := test.header
		if header == nil {
			header = http.Header{"Sec-Fetch-Site": {"same-origin"}}
		}
		page := sessions[test.user].send(t, http.MethodPost, "/ui/"+test.path, test.form, header)
		if page.status != test.status {
			t.Errorf("%s: %d, want %d", test.name, page.status, test.status)
		}
		var out bytes.Buffer
		if err := audit.Show(t.Context(), folder, &out, false); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String()[seen:], "\n"), "\n")
		seen = out.Len()
		if len(lines) != 1 || !strings.Contains(lines[0], test.want) || test.want == "" && lines[0] != "" {
			t.Errorf("%s: %q", test.name, lines)
		}
		if strings.Contains(lines[0], "hunter2") || strings.Contains(lines[0], "xxx") {
			t.Errorf("%s tells what it must not: %s", test.name, lines)
		}
	}
}
