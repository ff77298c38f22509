package garbage

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/schedule"
)

func TestDue(t *testing.T) {
	times, err := schedule.Parse("0 3 * * *", "UTC")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour int) time.Time { return time.Date(2026, 6, day, hour, 0, 0, 0, time.UTC) }
	for _, test := range []struct {
		name              string
		before, now, want time.Time
	}{
		{"nothing yet", time.Time{}, at(1, 12), at(2, 3)},
		{"still to come", at(2, 3), at(1, 13), at(2, 3)},
		{"late", at(2, 3), at(2, 12), at(2, 3)},
		{"worked out while the clock was ahead", at(20, 3), at(1, 12), at(2, 3)},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := due(times, test.before, test.now); !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestDueMeanwhile has a collection come due while something else is done.
func TestDueMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		driver := inmemory.New()
		clock := func() time.Duration { return time.Since(time.Time{}) }
		f := fence.NewWithClock(driver, "a", fence.TimingOf("inmemory"), fence.NoCache{}, clock)
		log := logrus.New()
		log.SetOutput(t.Output())
		c := New(driver, f, Options{Schedule: "0 3 * * *", TimeZone: "UTC"}, logrus.NewEntry(log))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		// Time begins at midnight here.
		time.Sleep(2*time.Hour + 58*time.Minute + 7*time.Second)
		if !c.order(func(context.Context) { time.Sleep(10 * time.Minute) }) {
			t.Error("the order was not taken")
		}
		time.Sleep(15 * time.Minute)
		if got := c.Totals().Succeeded; got != 1 {
			t.Errorf("%d collections", got)
		}
		time.Sleep(24 * time.Hour)
		if got := c.Totals().Succeeded; got != 2 {
			t.Errorf("%d collections a day later", got)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
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

// TestSpareAgain expects a server that goes on to write the spare once there is room.
func TestSpareAgain(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{})
	spare := layout.Collections + "/spare"
	for range 2 {
		r.collector.lookAround(t.Context())
		if names, err := layout.Names(t.Context(), r.collector.driver, spare); err != nil || len(names) == 0 {
			t.Fatalf("%q, %v", names, err)
		}
		if err := r.collector.driver.Delete(t.Context(), spare); err != nil {
			t.Fatal(err)
		}
	}
}

// TestOrderedInTurn orders a collection while another server of the store is collecting.
func TestOrderedInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		driver := inmemory.New()
		clock := func() time.Duration { return time.Since(time.Time{}) }
		other := fence.NewWithClock(driver, "other", fence.TimingOf("inmemory"), fence.NoCache{}, clock)
		log := logrus.New()
		log.SetOutput(t.Output())
		c := New(driver, fence.NewWithClock(driver, "own", fence.TimingOf("inmemory"), fence.NoCache{}, clock), Options{}, logrus.NewEntry(log))
		hold, held, err := other.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- c.Run(ctx) }()
		if !c.CollectSoon(true) {
			t.Error("the order was not taken")
		}
		time.Sleep(10 * time.Minute)
		if totals := c.Totals(); !totals.Waits || totals.UnderWay || totals.Succeeded > 0 {
			t.Errorf("during the other one: %+v", totals)
		}
		hold.Release(held)
		time.Sleep(time.Minute)
		if totals := c.Totals(); totals.Waits || totals.Succeeded != 1 {
			t.Errorf("after the other one: %+v", totals)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
