// Package schedule reads when to do something.
package schedule

import (
	"errors"
	"strings"
	"time"

	// Images FROM scratch have no time zones.
	_ "time/tzdata"

	"github.com/robfig/cron/v3"
)

// Schedule says when the next time is; zero when there is none.
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
	if fields, ok := parsed.(*cron.SpecSchedule); ok {
		fields.Location = location
	}
	if parsed.Next(time.Now()).IsZero() {
		return nil, errors.New("there is no such day in the next five years")
	}
	return parsed, nil
}

// Zone refuses Local, which is another one on every machine.
func Zone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, errors.New("name the time zone")
	}
	return time.LoadLocation(name)
}
