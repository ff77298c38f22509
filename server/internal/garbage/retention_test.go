package garbage

import (
	"slices"
	"testing"
	"time"

	"container-registry/server/internal/schedule"
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
		{"newest, latest breaks a tie", "team/app", Retention{Rules: []Rule{{KeepNewest: 1}}}, []string{"build-3", "build-2", "build-1", "v1.1", "v1.0"}, 1},
		{"more than there are", "team/app", Retention{Rules: []Rule{{KeepNewest: 9}}}, nil, 1},
		{"young", "team/app", Retention{Rules: []Rule{{KeepDays: 30}}}, []string{"build-1", "v1.1", "v1.0"}, 1},
		{"exactly as old is too old", "team/app", Retention{Rules: []Rule{{KeepDays: 20}}}, []string{"build-2", "build-1", "v1.1", "v1.0"}, 1},
		{"names", "team/app", Retention{Rules: []Rule{{KeepTags: []string{"v*", "latest"}}}}, []string{"build-3", "build-2", "build-1"}, 1},
		{"any reason keeps", "team/app", Retention{Rules: []Rule{{KeepNewest: 2, KeepDays: 30, KeepTags: []string{"v1.0"}}}}, []string{"build-1", "v1.1"}, 1},
		{"always kept", "team/app", Retention{AlwaysKeep: []string{"v1.*"}, Rules: []Rule{{KeepNewest: 1}}}, []string{"build-3", "build-2", "build-1"}, 1},
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

// TestPushedAtOnce is of tags whose times are alike, as of a folder that was copied: the versions of
// before go.
func TestPushedAtOnce(t *testing.T) {
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	var tags []aged
	for _, name := range []string{"1.0.10", "1.0.8", "1.0.12", "1.0.12-rc1", "1.0.11", "1.0.9"} {
		tags = append(tags, aged{name, at})
	}
	got, _ := Retention{Rules: []Rule{{KeepNewest: 1}}}.retire("app", tags, at)
	if want := []string{"1.0.12-rc1", "1.0.11", "1.0.10", "1.0.9", "1.0.8"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLeave(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	days := func(n int) time.Time { return now.Add(-time.Duration(n) * 24 * time.Hour) }
	in := func(n int) string { return days(-n).Format(time.DateOnly) }
	tags := []aged{{"v1", days(40)}, {"build-1", days(20)}, {"build-2", days(10)}, {"build-3", days(2)}}
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
			list, _ := Retention{Rules: test.rules}.leave("app", tags)
			var got []string
			for _, each := range list {
				if each.until.IsZero() {
					got = append(got, each.name+" at once")
				} else {
					got = append(got, each.name+" "+each.until.Format(time.DateOnly))
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestFirstFrom(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	at := func(day, hour int) time.Time { return time.Date(2026, 6, day, hour, 0, 0, 0, time.UTC) }
	for _, test := range []struct {
		name, expression, zone string
		until, want            time.Time
	}{
		{"kept no longer", "0 3 * * *", "", time.Time{}, at(2, 3)},
		{"kept until before now", "0 3 * * *", "", at(1, 1), at(2, 3)},
		{"kept until the next collection", "0 3 * * *", "", at(2, 3), at(2, 3)},
		{"kept until after the next collection", "0 3 * * *", "", at(2, 3).Add(time.Millisecond), at(3, 3)},
		{"kept for days", "0 3 * * *", "", at(10, 14), at(11, 3)},
		{"on sundays", "0 3 * * 0", "", at(2, 0), at(7, 3)},
		{"in another zone", "0 3 * * *", "Europe/Berlin", at(10, 0), at(10, 1)},
		{"without a schedule", "", "", at(10, 0), time.Time{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var times schedule.Schedule
			if test.expression != "" {
				var err error
				if times, err = schedule.Parse(test.expression, test.zone); err != nil {
					t.Fatal(err)
				}
			}
			if got := firstFrom(times, test.until, now); !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
