package garbage

import (
	"context"
	"errors"
	"io"
	"time"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/schedule"
)

// Run collects when the schedule says so, until ctx ends.
func (c *Collector) Run(ctx context.Context) error {
	if c.options.Schedule == "" {
		return nil
	}
	times, err := schedule.Parse(c.options.Schedule, c.options.TimeZone)
	if err != nil {
		return err
	}
	for {
		select {
		case <-time.After(time.Until(times.Next(time.Now()))):
		case <-ctx.Done():
			return nil
		}
		c.collectOnSchedule(ctx)
	}
}

func (c *Collector) collectOnSchedule(ctx context.Context) {
	report, err := c.Collect(ctx, Request{}, io.Discard)
	var busy fence.Busy
	switch {
	case errors.As(err, &busy):
		// With several servers on one store, all but one get here.
		c.log.WithField("by", busy.By).Info("garbage collection: another one is under way")
	case err != nil && ctx.Err() == nil:
		c.log.WithError(err).Error("garbage collection failed; the next one goes on")
	case err == nil:
		c.log.WithFields(report.fields()).Info("garbage collection done")
	}
}
