package retention

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRetire(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	days := func(n int) time.Time { return now.Add(-time.Duration(n) * 24 * time.Hour) }
	tags := map[string]time.Time{
		"v1.0": days(400), "v1.1": days(300), "build-1": days(40), "build-2": days(20), "build-3": days(2),
		"latest": days(2), "sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.sig": days(500),
	}
	tests := []struct {
		name       string
		repository string
		retention  Policy
		want       []string
		wantRule   string
	}{
		{"no rules", "team/app", Policy{}, nil, ""},
		{"another repository", "team/app", Policy{Rules: []Rule{{Repositories: []string{"other", "team"}, KeepNewest: 1}}}, nil, ""},
		{"newest, latest breaks a tie", "team/app", Policy{Rules: []Rule{{KeepNewest: 1}}}, []string{"build-3", "build-2", "build-1", "v1.1", "v1.0"}, "rule 1"},
		{"more than there are", "team/app", Policy{Rules: []Rule{{KeepNewest: 9}}}, nil, "rule 1"},
		{"young", "team/app", Policy{Rules: []Rule{{KeepDays: 30}}}, []string{"build-1", "v1.1", "v1.0"}, "rule 1"},
		{"exactly as old is too old", "team/app", Policy{Rules: []Rule{{KeepDays: 20}}}, []string{"build-2", "build-1", "v1.1", "v1.0"}, "rule 1"},
		{"names", "team/app", Policy{Rules: []Rule{{KeepTags: []string{"v*", "latest"}}}}, []string{"build-3", "build-2", "build-1"}, "rule 1"},
		{"any reason keeps", "team/app", Policy{Rules: []Rule{{KeepNewest: 2, KeepDays: 30, KeepTags: []string{"v1.0"}}}}, []string{"build-1", "v1.1"}, "rule 1"},
		{"always kept", "team/app", Policy{AlwaysKeep: []string{"v1.*"}, Rules: []Rule{{KeepNewest: 1}}}, []string{"build-3", "build-2", "build-1"}, "rule 1"},
		{"the first rule that names it", "team/app", Policy{Rules: []Rule{
			{Repositories: []string{"team/other"}, KeepNewest: 9}, {Repositories: []string{"team/*"}, KeepDays: 100}, {KeepNewest: 1},
		}}, []string{"v1.1", "v1.0"}, "rule 2"},
		{"a prefix ends at a slash", "team-b/app", Policy{Rules: []Rule{{Repositories: []string{"team/*"}, KeepNewest: 1}}}, nil, ""},
		{"all repositories", "team/app", Policy{Rules: []Rule{{Repositories: []string{"*"}, KeepDays: 30}}}, []string{"build-1", "v1.1", "v1.0"}, "rule 1"},
		{"no reason deletes nothing", "team/app", Policy{Rules: []Rule{{}}}, nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, rule := test.retention.Retire(test.repository, tags, now)
			number, _, _ := strings.Cut(rule, " (")
			if !slices.Equal(got, test.want) || number != test.wantRule {
				t.Errorf("got %q by %q, want %q by %q", got, rule, test.want, test.wantRule)
			}
		})
	}
}

// TestPushedAtOnce has tags with the same time, as in a folder that was copied. The lower versions go.
func TestPushedAtOnce(t *testing.T) {
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	tags := map[string]time.Time{}
	for _, name := range []string{"1.0.10", "1.0.8", "1.0.12", "1.0.12-rc1", "1.0.11", "1.0.9"} {
		tags[name] = at
	}
	got, _ := Policy{Rules: []Rule{{KeepNewest: 1}}}.Retire("app", tags, at)
	if want := []string{"1.0.12-rc1", "1.0.11", "1.0.10", "1.0.9", "1.0.8"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLeave(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	days := func(n int) time.Time { return now.Add(-time.Duration(n) * 24 * time.Hour) }
	in := func(n int) string { return days(-n).Format(time.DateOnly) }
	tags := map[string]time.Time{"v1": days(40), "build-1": days(20), "build-2": days(10), "build-3": days(2)}
	for _, test := range []struct {
		name  string
		rules []Rule
		want  []string
	}{
		{"no rules", nil, nil},
		{"by number only", []Rule{{KeepNewest: 2}}, []string{"build-1 at once", "v1 at once"}},
		{"by age only", []Rule{{KeepDays: 30}}, []string{"build-3 " + in(28), "build-2 " + in(20), "build-1 " + in(10), "v1 " + in(-10)}},
		{"the newest stay whatever their age", []Rule{{KeepNewest: 2, KeepDays: 15}}, []string{"build-1 " + in(-5), "v1 " + in(-25)}},
		{"names stay", []Rule{{KeepNewest: 1, KeepDays: 30, KeepTags: []string{"v*"}}}, []string{"build-2 " + in(20), "build-1 " + in(10)}},
		{"by names only", []Rule{{KeepTags: []string{"v*", "build-3"}}}, []string{"build-2 at once", "build-1 at once"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			list, _ := Policy{Rules: test.rules}.Leave("app", tags)
			var got []string
			for _, each := range list {
				if each.Until.IsZero() {
					got = append(got, each.Name+" at once")
				} else {
					got = append(got, each.Name+" "+each.Until.Format(time.DateOnly))
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
