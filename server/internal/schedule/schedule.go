// Package schedule reads schedules: when to do something.
package schedule

import (
	"errors"
	"strings"
	"time"

	// Images FROM scratch have no time zones.
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

// Schedule says when the next time is; zero if there is none.
type Schedule interface {
	Next(after time.Time) time.Time
}

// Parse reads five fields of cron, in a time zone of the IANA database; empty is UTC.
func Parse(expression, zone string) (Schedule, error) {
	location, err := Zone(zone)
	if err != nil {
		return nil, err
	}
	if strings.Contains(expression, "=") {
		return nil, errors.New("the time zone is a setting of its own")
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(expression)
	if err != nil {
		return nil, err
	}
	if parsed.Next(time.Now()).IsZero() {
		return nil, errors.New("there is no such day in the next five years")
	}
	return zoned{parsed, location}, nil
}

// zoned follows the clocks of a place. Its fields know nothing of clock changes: they would leave out
// times in an hour that clocks skip, and have those in an hour that clocks repeat twice.
type zoned struct {
	// fields have no zone of their own, and use that of the time they are given.
	fields   cron.Schedule
	location *time.Location
}

// Next calculates with the time that clocks show as if it were UTC.
func (z zoned) Next(after time.Time) time.Time {
	_, offset := after.In(z.location).Zone()
	shown := after.Add(time.Duration(offset) * time.Second).UTC()
	for shown = z.fields.Next(shown); !shown.IsZero(); shown = z.fields.Next(shown) {
		if at := z.first(shown); at.After(after) {
			return at.In(after.Location())
		}
	}
	return shown
}

// first returns the moment at which clocks show a time for the first time, or a later time if they skip it.
func (z zoned) first(shown time.Time) time.Time {
	// Every offset is shorter than a day.
	for part := shown.AddDate(0, 0, -1).In(z.location); ; {
		begins, ends := part.ZoneBounds()
		_, offset := part.Zone()
		at := shown.Add(-time.Duration(offset) * time.Second)
		switch {
		case at.Before(begins):
			return begins
		case ends.IsZero() || at.Before(ends):
			return at
		}
		part = ends
	}
}

// mostBack is twice as long as the longest pause of a schedule: from one leap day to the next it can be eight years.
const mostBack = 16 * 366 * 24 * time.Hour

// Last returns the latest time of a schedule that is not after until; zero if there is none.
func Last(s Schedule, until time.Time) (last time.Time) {
	for back := time.Minute; last.IsZero() && back < mostBack; back *= 2 {
		for at := s.Next(until.Add(-back)); !at.IsZero() && !at.After(until); at = s.Next(at) {
			last = at
		}
	}
	return last
}

// Zone refuses Local, which is a different zone on every machine.
func Zone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, errors.New("name the time zone")
	}
	return time.LoadLocation(name)
}
