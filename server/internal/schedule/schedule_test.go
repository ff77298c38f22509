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
		// Clocks go on at 2:00 to 3:00.
		{"30 2 * * sun", "Europe/Berlin", "2026-03-23T00:00:00Z", "2026-03-29T01:00:00Z"},
		{"30 2 * * sun", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-04-05T00:30:00Z"},
		{"*/15 * * * *", "Europe/Berlin", "2026-03-29T00:45:00Z", "2026-03-29T01:00:00Z"},
		{"*/15 * * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T01:15:00Z"},
		{"0 3 * * *", "Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z"},
		// And back at 3:00 to 2:00.
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"0 3 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z"},
		{"*/15 * * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-25T02:00:00Z"},
		// A day without midnight.
		{"0 0 * * *", "Africa/Cairo", "2026-04-23T12:00:00Z", "2026-04-23T22:00:00Z"},
		{"0 5 24 4 *", "Africa/Cairo", "2026-04-23T12:00:00Z", "2026-04-24T02:00:00Z"},
		// And one that was left out.
		{"0 3 * * *", "Pacific/Apia", "2011-12-29T20:00:00Z", "2011-12-30T10:00:00Z"},
		{"0 3 29 2 *", "Europe/Berlin", "2096-03-01T00:00:00Z", "0001-01-01T00:00:00Z"},
		{"*/15 * 29 2 *", "UTC", "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z"},
	}
	for _, test := range tests {
		t.Run(test.expression+" "+test.zone+" after "+test.after, func(t *testing.T) {
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

func TestLast(t *testing.T) {
	for _, test := range []struct{ expression, zone, until, want string }{
		{"0 3 * * *", "", "2026-01-02T02:59:59Z", "2026-01-01T03:00:00Z"},
		{"0 3 * * *", "", "2026-01-02T03:00:00Z", "2026-01-02T03:00:00Z"},
		{"* * * * *", "", "2026-01-02T03:00:59Z", "2026-01-02T03:00:00Z"},
		// Over a weekend, a month and the years from leap day to leap day.
		{"0 3 * * 1-5", "", "2026-01-05T02:59:59Z", "2026-01-02T03:00:00Z"},
		{"0 3 1,2 * *", "", "2026-01-31T12:00:00Z", "2026-01-02T03:00:00Z"},
		{"*/15 3 29 2 *", "", "2028-02-28T23:00:00Z", "2024-02-29T03:45:00Z"},
		{"0 3 29 2 *", "", "2104-02-28T23:00:00Z", "2096-02-29T03:00:00Z"},
		// Clocks went on at 2:00 to 3:00, and back at 3:00 to 2:00.
		{"30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T01:59:00Z", "2026-10-25T00:30:00Z"},
	} {
		t.Run(test.expression+" "+test.zone+" until "+test.until, func(t *testing.T) {
			s, err := Parse(test.expression, test.zone)
			if err != nil {
				t.Fatal(err)
			}
			until, err := time.Parse(time.RFC3339, test.until)
			if err != nil {
				t.Fatal(err)
			}
			if got := Last(s, until).UTC().Format(time.RFC3339); got != test.want {
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
