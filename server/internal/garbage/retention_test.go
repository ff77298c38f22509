package garbage

import (
	"slices"
	"testing"
	"time"
)

func TestRetire(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	days := func(n int) time.Time { return now.Add(-time.Duration(n) * 24 * time.Hour) }
	tags := []aged{
		{"v1.0", days(400)}, {"v1.1", days(300)}, {"build-1", days(40)}, {"build-2", days(20)}, {"build-3", days(2)},
		{"latest", days(2)}, {"sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.sig", days(500)},
	}
	tests := []struct {
		name       string
		repository string
		retention  Retention
		want       []string
		wantRule   int
	}{
		{"no rules", "team/app", Retention{}, nil, 0},
		{"another repository", "team/app", Retention{Rules: []Rule{{Repositories: []string{"other", "team"}, KeepNewest: 1}}}, nil, 0},
		{"newest, names break a tie", "team/app", Retention{Rules: []Rule{{KeepNewest: 1}}}, []string{"latest", "build-2", "build-1", "v1.1", "v1.0"}, 1},
		{"more than there are", "team/app", Retention{Rules: []Rule{{KeepNewest: 9}}}, nil, 1},
		{"young", "team/app", Retention{Rules: []Rule{{KeepDays: 30}}}, []string{"build-1", "v1.1", "v1.0"}, 1},
		{"exactly as old is too old", "team/app", Retention{Rules: []Rule{{KeepDays: 20}}}, []string{"build-2", "build-1", "v1.1", "v1.0"}, 1},
		{"names", "team/app", Retention{Rules: []Rule{{KeepTags: []string{"v*", "latest"}}}}, []string{"build-3", "build-2", "build-1"}, 1},
		{"any reason keeps", "team/app", Retention{Rules: []Rule{{KeepNewest: 2, KeepDays: 30, KeepTags: []string{"v1.0"}}}}, []string{"build-1", "v1.1"}, 1},
		{"always kept", "team/app", Retention{AlwaysKeep: []string{"v1.*"}, Rules: []Rule{{KeepNewest: 1}}}, []string{"latest", "build-2", "build-1"}, 1},
		{"the first rule that names it", "team/app", Retention{Rules: []Rule{
			{Repositories: []string{"team/other"}, KeepNewest: 9}, {Repositories: []string{"team/*"}, KeepDays: 100}, {KeepNewest: 1},
		}}, []string{"v1.1", "v1.0"}, 2},
		{"a prefix ends at a slash", "team-b/app", Retention{Rules: []Rule{{Repositories: []string{"team/*"}, KeepNewest: 1}}}, nil, 0},
		{"all repositories", "team/app", Retention{Rules: []Rule{{Repositories: []string{"*"}, KeepDays: 30}}}, []string{"build-1", "v1.1", "v1.0"}, 1},
		{"no reason deletes nothing", "team/app", Retention{Rules: []Rule{{}}}, nil, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, rule := test.retention.retire(test.repository, tags, now)
			if !slices.Equal(got, test.want) || rule != test.wantRule {
				t.Errorf("got %q by rule %d, want %q by rule %d", got, rule, test.want, test.wantRule)
			}
		})
	}
}
