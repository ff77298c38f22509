package htpasswd

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func hash(t testing.TB, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

// withSum adds the first line that vouches for the rest.
func withSum(rest string) string {
	sum := sha256.Sum256([]byte(rest))
	return "#!sha256 " + hex.EncodeToString(sum[:]) + "\n" + rest
}

func TestParse(t *testing.T) {
	alice := "alice:" + hash(t, "wonder") + "\n"
	tests := []struct {
		name, content string
		wants         []string // parts of the error; none when the file is right
	}{
		{"one user", alice, nil},
		{"the tool of Apache", "alice:" + strings.Replace(hash(t, "x"), "$2a$", "$2y$", 1), nil},
		{"comments and blank lines", "# users\n\n  " + alice + "\r\n", nil},
		{"with its sum", withSum(alice), nil},
		{"with rights", alice + "#!access alice pull team-a/* */base\n#!anonymous pull public/*\n", nil},
		{"with a byte order mark", "\ufeff" + alice + "#!access alice pull\n", nil},
		{"a comment after a byte order mark", "\ufeff# users\n" + alice, nil},
		{"its sum after a byte order mark", "\ufeff" + withSum(alice), nil},
		{"a wrong sum after a byte order mark", "\ufeff" + withSum(alice) + "\n", []string{"incomplete"}},
		{"as costly as the tool of Apache makes", "alice:" + string(dummyHash(17)), nil},
		{"too costly", alice + "bob:" + string(dummyHash(18)), []string{`line 2: the hash of user "bob" has cost 18; 17 is the most`}},
		{"the costliest there is", "bob:" + string(dummyHash(31)), []string{"line 1:", "cost 31"}},
		{"a space in a name", "bob builder:" + hash(t, "x"), nil},
		{"a space after a name", alice + "bob :" + hash(t, "x"), []string{`line 2: the name "bob " ends with white space`}},
		{"a tab after a name", "bob\t:" + hash(t, "x"), []string{`line 1: the name "bob\t" ends`}},
		{"anonymous only", "#!anonymous pull\n", nil},
		{"nothing", "", []string{"the file holds no users"}},
		{"only comments", "# nobody\n", []string{"the file holds no users"}},
		{"wrong sum", "#!sha256 " + strings.Repeat("0", 64) + "\n" + alice, []string{"incomplete"}},
		{"cut off after the sum", withSum(alice)[:73], []string{"incomplete"}},
		{"cut off in the sum", withSum(alice)[:30], []string{"incomplete"}},
		{"cut off in the directive", withSum(alice)[:5], []string{"line 1: #!sha is unknown"}},
		{"sum on another line", alice + "#!sha256 00\n", []string{"line 2: #!sha256 must be the first line"}},
		{"apr1", "bob:$apr1$x$hunter2", []string{`line 1: the hash of user "bob" is not bcrypt`}},
		{"sha", alice + "bob:{SHA}hunter2=", []string{`line 2: the hash of user "bob" is not bcrypt`}},
		{"plain text", "bob:hunter2", []string{`the hash of user "bob" is not bcrypt`}},
		{"empty hash", "bob:", []string{"is not bcrypt"}},
		{"half a hash", "bob:" + hash(t, "x")[:40], []string{"is not bcrypt"}},
		{"more than a hash", "bob:" + hash(t, "x") + "hunter2", []string{"is not bcrypt"}},
		{"no colon", "hunter2", []string{"line 1: is not <user>:<bcrypt hash>"}},
		{"no name", ":" + hash(t, "x"), []string{"line 1: is not <user>:<bcrypt hash>"}},
		{"unknown directive", alice + "#!acess alice pull\n", []string{"line 2: #!acess is unknown; allowed: #!sha256, #!access, #!anonymous"}},
		{"access without a right", alice + "#!access alice\n", []string{"line 2: is not #!access <user> <push-pull|pull> [<pattern> ...]"}},
		{"access with another right", alice + "#!access alice push\n", []string{"line 2: is not #!access"}},
		{"access of nobody", alice + "#!access bob pull\n", []string{`line 2: #!access: there is no user "bob"`}},
		{"pattern", alice + "#!access alice pull Team/*\n", []string{`line 2: #!access: "Team/*" is not a pattern of repository names`}},
		{"anonymous push", alice + "#!anonymous push\n", []string{"line 2: is not #!anonymous pull"}},
		{"all at once", "x\nbob:y\n#!z\n", []string{"line 1:", "line 2:", "line 3:"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Parse([]byte(test.content))
			if len(test.wants) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil {
				t.Fatal("accepted")
			}
			for _, want := range test.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in %q", want, err)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	exact, long := strings.Repeat("x", longest), strings.Repeat("x", longest+1)
	users, err := Parse([]byte(strings.Join([]string{
		"alice:" + hash(t, "old"), "alice:" + hash(t, "new"), "bob:" + hash(t, "bob"), "carl:" + hash(t, exact), "dora:" + hash(t, ""),
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, password string
		want           bool
	}{
		{"alice", "old", true},
		{"alice", "new", true},
		{"alice", "bob", false},
		{"bob", "bob", true},
		{"bob", "old", false},
		{"Bob", "bob", false},
		{"nobody", "bob", false},
		{"", "", false},
		{"carl", exact, true},
		{"carl", long, false},        // bcrypt itself would take it
		{"bob", "bob\x00bob", false}, // and this
		{"dora", "", true},
	}
	for _, test := range tests {
		password, got := users.Check(test.name, test.password)
		if got != test.want || got != users.Holds(test.name, password) || users.Holds("bobby", password) {
			t.Errorf("%s with %.10q: %v", test.name, test.password, got)
		}
	}
}

// TestCostOfRefusal keeps names from being found out by the time a refusal takes.
func TestCostOfRefusal(t *testing.T) {
	users, err := Parse([]byte(strings.Join([]string{
		"alice:" + hash(t, "x"), "bob:" + string(dummyHash(bcrypt.MinCost+2)), "bob:" + hash(t, "y"), "carl:" + string(dummyHash(bcrypt.MinCost+1)),
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"alice", "bob", "carl", "nobody"} {
		rounds := 0
		for _, each := range slices.Concat(users.hashes[name], users.dummies(users.hashes[name])) {
			cost, err := bcrypt.Cost(each)
			if err != nil {
				t.Fatal(err)
			}
			rounds += 1 << cost
		}
		if want := 2 << (bcrypt.MinCost + 2); rounds != want {
			t.Errorf("%s: %d rounds, want those of two passwords at the highest cost: %d", name, rounds, want)
		}
	}
	if err := bcrypt.CompareHashAndPassword(dummyHash(bcrypt.MinCost), []byte("x")); err != bcrypt.ErrMismatchedHashAndPassword {
		t.Errorf("a dummy is no hash that bcrypt works on: %v", err)
	}
}

func TestRights(t *testing.T) {
	users, err := Parse([]byte(strings.Join([]string{
		"admin:" + hash(t, "x"), "reader:" + hash(t, "x"), "team:" + hash(t, "x"), "mixed:" + hash(t, "x"),
		"#!access reader pull",
		"#!access team push-pull team-a/* */base exact",
		"#!access mixed push-pull mine/*",
		"#!access mixed pull *",
		"#!anonymous pull public/* library",
	}, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		who, repository string
		pull, push      bool
	}{
		{"admin", "any/thing", true, true},
		{"reader", "any/thing", true, false},
		{"team", "team-a/app", true, true},
		{"team", "team-a/app/deep/er", true, true},
		{"team", "team-a", false, false},
		{"team", "team-ab/app", false, false},
		{"team", "x/team-a/app", false, false},
		{"team", "other/base", true, true},
		{"team", "other/deep/base", false, false},
		{"team", "other/base/x", false, false},
		{"team", "exact", true, true},
		{"team", "exactly", false, false},
		{"mixed", "mine/app", true, true},
		{"mixed", "other", true, false},
		{"", "public/app", true, false},
		{"", "library", true, false},
		{"", "library/x", false, false},
		{"", "secret", false, false},
	}
	for _, test := range tests {
		rights := *users.Anonymous()
		if test.who != "" {
			rights = users.Rights(test.who)
		}
		if pull, push := rights.Pull(test.repository), rights.Push(test.repository); pull != test.pull || push != test.push {
			t.Errorf("%q on %s: pull %v, push %v", test.who, test.repository, pull, push)
		}
	}
	for who, want := range map[string]bool{"admin": true, "reader": true, "team": false, "mixed": true} {
		if got := users.Rights(who).PullEverything(); got != want {
			t.Errorf("%s sees everything: %v", who, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(withSum("alice:$2a$04$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n#!access alice pull a/*\n")))
	f.Add([]byte("#!anonymous pull **\n"))
	f.Fuzz(func(_ *testing.T, content []byte) {
		if users, err := Parse(content); err == nil && users.Anonymous() != nil {
			users.Anonymous().Pull("a/b")
		}
	})
}
