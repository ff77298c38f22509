package page

import (
	"testing"
	"time"
)

func TestGoing(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	const day = 24 * time.Hour
	for _, test := range []struct {
		name string
		going
		want string
	}{
		{"at once, without a schedule", going{}, "with the next collection"},
		{"old enough, without a schedule", going{Until: in(-day)}, "with the next collection"},
		{"not old enough, without a schedule", going{Until: in(12 * day)}, "with the first collection in 12 days or later"},
		{"at once", going{At: in(15 * time.Hour)}, "in 15 hours"},
		{"not old enough", going{Until: in(12 * day), At: in(13 * day)}, "in 13 days"},
		{"after many days", going{At: in(45 * day)}, "in 45 days"},
		{"after years", going{At: in(800 * day)}, "in 2 years"},
		{"about to go", going{At: in(time.Second)}, "in a moment"},
	} {
		if got := test.when(now); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
