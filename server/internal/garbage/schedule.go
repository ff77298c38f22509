package garbage

import (
	"context"
	"errors"
	"io"
	"time"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/schedule"
	"container-registry/server/internal/wait"
)

// Run collects when the schedule says so, and carries out orders, until ctx ends.
func (c *Collector) Run(ctx context.Context) error {
	var times schedule.Schedule
	if c.options.Schedule != "" {
		var err error
		if times, err = schedule.Parse(c.options.Schedule, c.options.TimeZone); err != nil {
			return err
		}
	}
	c.lookAround(ctx)
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	// next is kept while something else is done: a collection that comes due meanwhile is late, not left out.
	var next time.Time
	for {
		var begin <-chan time.Time
		if times != nil {
			next = due(times, next, time.Now())
			begin = time.After(time.Until(next))
		}
		select {
		case <-begin:
			next = time.Time{}
			if by, busy := c.collectInBackground(ctx, Request{}); busy {
				// With several servers on one store, all but one get here.
				c.log.WithField("by", by).Info("garbage collection: another one is under way")
			}
		case do := <-c.orders:
			do(ctx)
		case <-again.C:
			c.lookAround(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// lookAround learns of other servers' collections, and writes the spare if it is missing: a process may have
// spent it and then been killed, or found no room for a new one.
func (c *Collector) lookAround(ctx context.Context) {
	c.Recall(ctx)
	if !c.readOnly {
		c.fence.KeepSpare(ctx)
	}
}

// due is the time of the next collection. The time that was determined before stays, even if it has passed,
// unless the schedule has an earlier one still to come: then the clock was ahead at that time.
func due(times schedule.Schedule, before, now time.Time) time.Time {
	if next := times.Next(now); before.IsZero() || next.Before(before) {
		return next
	}
	return before
}

// CollectSoon has Run collect. It returns false if another order waits already.
func (c *Collector) CollectSoon(deleteUntagged bool) bool {
	return c.order(func(ctx context.Context) { c.collectInTurn(ctx, Request{DeleteUntagged: deleteUntagged}) })
}

// askAgain is how long an order waits before it checks again whether the other collection has ended.
const askAgain = 5 * time.Second

// collectInTurn waits for the end of another collection that is under way, and then collects: the other
// one may have been asked to do less.
func (c *Collector) collectInTurn(ctx context.Context, request Request) {
	defer c.history.setWaits(false)
	by, busy := c.collectInBackground(ctx, request)
	if busy {
		c.history.setWaits(true)
		c.log.WithField("by", by).Info("garbage collection: it waits for another one that is under way")
	}
	for busy && wait.For(ctx, askAgain) == nil {
		_, busy = c.collectInBackground(ctx, request)
	}
}

func (c *Collector) order(do func(context.Context)) bool {
	select {
	case c.orders <- do:
		return true
	default:
		return false
	}
}

// collectInBackground says whether another server was busy with a collection, and which.
func (c *Collector) collectInBackground(ctx context.Context, request Request) (by string, busy bool) {
	report, err := c.Collect(ctx, request, io.Discard)
	var other fence.Busy
	switch {
	case errors.As(err, &other):
		return other.By, true
	case err != nil && ctx.Err() == nil:
		c.log.WithError(err).Error("garbage collection failed; the next one goes on")
	case err == nil:
		c.log.WithFields(report.Fields()).Info("garbage collection done")
	}
	return "", false
}
