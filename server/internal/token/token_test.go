package token

import (
	"strings"
	"testing"
	"time"
)

func TestVerify(t *testing.T) {
	state, other := [32]byte{1}, [32]byte{2}
	issuer, replica, stranger := NewIssuer("shared"), NewIssuer("shared"), NewIssuer("")
	now := time.Now()
	claims := Claims{Subject: "alice", Access: []Grant{{"repository", "team/app", []string{"pull"}}}}
	good, err := issuer.Issue(state, claims, now)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := stranger.Issue(state, claims, now)
	if err != nil {
		t.Fatal(err)
	}
	payload, signature, _ := strings.Cut(good, ".")
	tests := []struct {
		name   string
		issuer *Issuer
		state  [32]byte
		token  string
		at     time.Time
		valid  bool
	}{
		{"good", issuer, state, good, now, true},
		{"at a replica", replica, state, good, now, true},
		{"at the end", issuer, state, good, now.Add(Lifetime - 2*time.Second), true},
		{"too old", issuer, state, good, now.Add(Lifetime), false},
		{"the users changed", issuer, other, good, now, false},
		{"of another server", issuer, state, forged, now, false},
		{"empty", issuer, state, "", now, false},
		{"without signature", issuer, state, payload, now, false},
		{"empty signature", issuer, state, payload + ".", now, false},
		{"other signature", issuer, state, payload + "." + signature[1:] + "A", now, false},
		{"other payload", issuer, state, payload[1:] + "." + signature, now, false},
		{"no base64", issuer, state, payload + ".%%%", now, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.issuer.Verify(test.state, test.token, test.at)
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
