package schedule

import (
	"testing"
	"time"
)

func TestNext(t *testing.T) {
	tests := []struct {
		expression, zone, after, want string
	}{
		{"0 3 * * *", "", "2026-01-01T02:59:59Z", "2026-01-01T03:00:00Z"},
		{"0 3 * * *", "", "2026-01-01T03:00:00Z", "2026-01-02T03:00:00Z"},
		{"30 2 * * 0", "Europe/Berlin", "2026-06-01T00:00:00Z", "2026-06-07T00:30:00Z"},
		{"0 3 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-01T21:30:00Z"},
		{"*/15 * 29 2 *", "UTC", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z"},
	}
	for _, test := range tests {
		t.Run(test.expression+" "+test.zone, func(t *testing.T) {
			s, err := Parse(test.expression, test.zone)
			if err != nil {
				t.Fatal(err)
			}
			after, err := time.Parse(time.RFC3339, test.after)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Next(after).UTC().Format(time.RFC3339); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, each := range [][2]string{
		{"", ""}, {"0 3 * *", ""}, {"0 0 3 * * *", ""}, {"60 3 * * *", ""}, {"0 3 * * mon-", ""}, {"@daily", ""},
		{"TZ=UTC 0 3 * * *", ""}, {"0 3 31 2 *", ""}, {"0 3 * * *", "Berlin"}, {"0 3 * * *", "Local"},
	} {
		if _, err := Parse(each[0], each[1]); err == nil {
			t.Errorf("%q in %q was accepted", each[0], each[1])
		}
	}
}
