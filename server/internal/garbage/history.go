package garbage

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/schedule"
)

// remembered is how many collections are remembered.
const remembered = 20

// Run is a collection of the store that was not a dry run.
type Run struct {
	Began time.Time
	// Report says what was done until it ended.
	Report *Report
	// Err is why it failed, if it did.
	Err error
}

// ended is when it began for a collection that failed at once, which has no report.
func (r Run) ended() time.Time {
	if r.Report == nil {
		return r.Began
	}
	return r.Began.Add(r.Report.Took)
}

// deletedSince says whether it ended after a time, and deleted anything.
func (r Run) deletedSince(at time.Time) bool {
	return r.Report != nil && r.ended().After(at) && r.Report.Tags.Deleted+r.Report.Manifests.Deleted+r.Report.Blobs.Deleted+r.Report.Uploads > 0
}

// Totals sum up all collections since the server started.
type Totals struct {
	Succeeded, Failed             int
	Tags, Manifests, Blobs, Bytes int64
	// LastSuccess and LastFailure are when the last collection of the store that succeeded, and the last
	// that failed, ended. They are zero if there was none.
	LastSuccess, LastFailure time.Time
	// UnderWay says whether a collection is under way.
	UnderWay bool
	// Waits says whether a collection that was ordered waits for the end of another server's.
	Waits bool
}

// history remembers how collections ended.
type history struct {
	mutex  sync.Mutex
	runs   []Run
	totals Totals
	ended  []func()
}

// AfterEach has something done after each collection. It must be called before any collection.
func (c *Collector) AfterEach(do func()) { c.history.ended = append(c.history.ended, do) }

// Runs are the latest collections of the store, the last one first.
func (c *Collector) Runs() []Run {
	c.history.mutex.Lock()
	defer c.history.mutex.Unlock()
	return slices.Clone(c.history.runs)
}

// Totals are those of this server.
func (c *Collector) Totals() Totals {
	c.history.mutex.Lock()
	defer c.history.mutex.Unlock()
	return c.history.totals
}

// Next are the next two times of the schedule, if there is one.
func (c *Collector) Next() []time.Time {
	times := c.times()
	if times == nil {
		return nil
	}
	first := times.Next(time.Now())
	return []time.Time{first, times.Next(first)}
}

// Due is the last time of the schedule that has passed; zero without a schedule.
func (c *Collector) Due() time.Time {
	times := c.times()
	if times == nil {
		return time.Time{}
	}
	return schedule.Last(times, time.Now())
}

// From is when the first collection begins that is not before a time, and still to come; zero without a
// schedule.
func (c *Collector) From(at time.Time) time.Time { return firstFrom(c.times(), at, time.Now()) }

// times is nil if no collection begins by itself.
func (c *Collector) times() schedule.Schedule {
	times, err := schedule.Parse(c.options.Schedule, c.options.TimeZone)
	if err != nil || c.readOnly {
		return nil
	}
	return times
}

func firstFrom(times schedule.Schedule, at, now time.Time) time.Time {
	if times == nil {
		return time.Time{}
	}
	if at.Before(now) {
		return times.Next(now)
	}
	// What is kept until exactly the time of a collection is deleted by it.
	return times.Next(at.Add(-time.Nanosecond))
}

func (h *history) setUnderWay(is bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.totals.UnderWay = is
}

func (h *history) setWaits(is bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.totals.Waits = is
}

// end notes a collection. It returns false for one that was not carried out, because another server was
// collecting or this one stops. That is not noted.
func (h *history) end(ctx context.Context, run Run) bool {
	if !h.note(ctx, run) {
		return false
	}
	// The lock is not held here: these functions may ask for what was noted.
	for _, do := range h.ended {
		do()
	}
	return true
}

func (h *history) note(ctx context.Context, run Run) bool {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if run.Err != nil && (ctx.Err() != nil || errors.As(run.Err, new(fence.Busy))) {
		return false
	}
	if run.Err == nil {
		h.totals.Succeeded++
		h.totals.LastSuccess = time.Now()
	} else {
		h.totals.Failed++
		h.totals.LastFailure = time.Now()
	}
	if r := run.Report; r != nil {
		h.totals.Tags += int64(r.Tags.Deleted)
		h.totals.Manifests += int64(r.Manifests.Deleted)
		h.totals.Blobs += int64(r.Blobs.Deleted)
		h.totals.Bytes += r.Bytes
	}
	h.runs = append([]Run{run}, h.runs[:min(len(h.runs), remembered-1)]...)
	return true
}
