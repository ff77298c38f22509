package certificate

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"container-registry/server/internal/poll"
	"container-registry/server/internal/testpki"
)

// TestReminders lets a server run until its certificate ends, and looks at the reminders meanwhile.
func TestReminders(t *testing.T) {
	const (
		day   = 24 * time.Hour
		soon  = `level=warning msg="the certificate is about to expire`
		ended = `level=error msg="the certificate has expired`
	)
	now := time.Now()
	ca := testpki.NewAuthority(t)
	type look struct {
		after time.Duration
		want  string
	}
	for _, test := range []struct {
		name        string
		from, until time.Duration
		signed      bool
		looks       []look
	}{
		{"a year's", -355 * day, 10 * day, false, []look{{0, ""}, {2 * day, ""}, {4 * day, soon}, {5 * day, ""}, {11 * day, ended}, {12 * day, ""}}},
		{"ten days'", 0, 10 * day, false, []look{{0, ""}, {8 * day, ""}, {9*day + time.Hour, soon}, {10*day + time.Hour, ended}}},
		{"one that ends soon when it is first seen", -364 * day, day, false, []look{{0, soon}, {time.Hour, ""}}},
		{"one whose end comes between two looks", -355 * day, 10 * day, false, []look{{0, ""}, {11 * day, ended}, {12 * day, ""}}},
		{"one that had expired, as is told at start", -2 * day, -day, false, []look{{0, ""}, {day, ""}}},
		{"one whose authority ends first", -day, 10 * day, true, []look{{2 * time.Hour, ended}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "tls.pem")
			leaf := ca.Leaf(t, "leaf", now.Add(test.from), now.Add(test.until))
			content := join(leaf.Certificate, leaf.Key)
			if test.signed {
				content = leaf.Combined(ca)
			}
			write(t, file, content)
			r, lines := loaded(t, file)
			told := len(lines.matching(""))
			for _, look := range test.looks {
				r.remind(now.Add(look.after))
				got := lines.matching("")[told:]
				told += len(got)
				if look.want == "" && len(got) > 0 || look.want != "" && (len(got) != 1 || !strings.Contains(got[0], look.want) || !strings.Contains(got[0], `subject="CN=leaf"`)) {
					t.Errorf("after %s: %s, want %q", look.after, got, look.want)
				}
			}
		})
	}
}

// TestReminderOfSuccessor expects reminders of the certificate that is served, not of the first one.
func TestReminderOfSuccessor(t *testing.T) {
	now := time.Now()
	ca := testpki.NewAuthority(t)
	file := filepath.Join(t.TempDir(), "tls.pem")
	serve := func(name string, left time.Duration) {
		leaf := ca.Leaf(t, name, now.Add(-time.Hour), now.Add(left))
		write(t, file, join(leaf.Certificate, leaf.Key))
	}
	serve("old", time.Hour)
	r, lines := loaded(t, file)
	serve("fresh", 48*time.Hour)
	r.check(now)
	r.remind(now.Add(2 * time.Hour))
	if got := lines.matching("signed by"); len(got) > 0 {
		t.Errorf("told of the old one: %s", got)
	}
	r.remind(now.Add(49 * time.Hour))
	if got := lines.matching("has expired"); len(got) != 1 || !strings.Contains(got[0], "CN=fresh") {
		t.Errorf("told %s", got)
	}
}

func TestReminderWhileItRuns(t *testing.T) {
	ca := testpki.NewAuthority(t)
	file := filepath.Join(t.TempDir(), "tls.pem")
	write(t, file, ca.Leaf(t, "leaf", time.Now().Add(-48*time.Hour), time.Now().Add(time.Hour)).Combined(ca))
	_, lines := watched(t, file)
	poll.Until(t, "the notice", func() bool { return len(lines.matching("about to expire")) == 1 })
}
