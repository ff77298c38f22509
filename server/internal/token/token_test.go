package token

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"container-registry/server/internal/htpasswd"
)

func usersOf(t *testing.T, password string) *htpasswd.Users {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	users, err := htpasswd.Parse([]byte("alice:" + string(hash)))
	if err != nil {
		t.Fatal(err)
	}
	return users
}

func TestVerify(t *testing.T) {
	users, other := usersOf(t, "wonder"), usersOf(t, "other")
	password, _ := users.Check("alice", "wonder")
	issuer, replica, stranger := NewIssuer("shared"), NewIssuer("shared"), NewIssuer("")
	now := time.Now()
	claims := Claims{Subject: "alice", Password: password, Access: []Grant{{"repository", "team/app", []string{"pull"}}}}
	good, err := issuer.Issue(claims, now)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := stranger.Issue(claims, now)
	if err != nil {
		t.Fatal(err)
	}
	unbound, err := issuer.Issue(Claims{Subject: "alice"}, now)
	if err != nil {
		t.Fatal(err)
	}
	payload, signature, _ := strings.Cut(good, ".")
	tests := []struct {
		name   string
		issuer *Issuer
		users  *htpasswd.Users
		token  string
		at     time.Time
		valid  bool
	}{
		{"good", issuer, users, good, now, true},
		{"at a replica", replica, users, good, now, true},
		{"at the end", issuer, users, good, now.Add(Lifetime - 2*time.Second), true},
		{"too old", issuer, users, good, now.Add(Lifetime), false},
		{"another password", issuer, other, good, now, false},
		{"of no password", issuer, users, unbound, now, false},
		{"of another server", issuer, users, forged, now, false},
		{"empty", issuer, users, "", now, false},
		{"without signature", issuer, users, payload, now, false},
		{"empty signature", issuer, users, payload + ".", now, false},
		{"other signature", issuer, users, payload + "." + signature[1:] + "A", now, false},
		{"other payload", issuer, users, payload[1:] + "." + signature, now, false},
		{"no base64", issuer, users, payload + ".%%%", now, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.issuer.Verify(test.users, test.token, test.at)
			if (err == nil) != test.valid {
				t.Fatalf("got %v, %v", got, err)
			}
			if test.valid && (got.Subject != "alice" || !got.Covers("repository", "team/app", "pull")) {
				t.Errorf("claims %+v", got)
			}
		})
	}
}

func TestCovers(t *testing.T) {
	claims := &Claims{Access: []Grant{{"repository", "team/app", []string{"pull", "push"}}}}
	tests := []struct {
		claims             *Claims
		kind, name, action string
		want               bool
	}{
		{claims, "repository", "team/app", "push", true},
		{claims, "repository", "team/app", "delete", false},
		{claims, "repository", "team/other", "pull", false},
		{claims, "registry", "team/app", "pull", false},
		{&Claims{}, "repository", "team/app", "pull", false},
		{nil, "repository", "team/app", "delete", true},
	}
	for _, test := range tests {
		if got := test.claims.Covers(test.kind, test.name, test.action); got != test.want {
			t.Errorf("%+v covers %s:%s:%s: %v", test.claims, test.kind, test.name, test.action, got)
		}
	}
}
