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

// remembered is how many collections are.
const remembered = 20

// Run is a collection that this server carried out, but for those that delete nothing.
type Run struct {
	Began time.Time
	// Report is of what was done until it ended.
	Report *Report
	// Err is why it failed, if it did.
	Err error
}

// Totals are of all collections since the server started.
type Totals struct {
	Succeeded, Failed             int
	Tags, Manifests, Blobs, Bytes int64
	// LastSuccess is when the last one that succeeded ended; zero for none.
	LastSuccess time.Time
	// UnderWay says whether there is one now.
	UnderWay bool
}

// history is what became of a server's collections.
type history struct {
	mutex  sync.Mutex
	runs   []Run
	totals Totals
	ended  []func()
}

// AfterEach has something done after each collection. To be called before there is any.
func (c *Collector) AfterEach(do func()) { c.history.ended = append(c.history.ended, do) }

// Runs are the latest collections, the last one first.
func (c *Collector) Runs() []Run {
	c.history.mutex.Lock()
	defer c.history.mutex.Unlock()
	return slices.Clone(c.history.runs)
}

// Totals are of all of them.
func (c *Collector) Totals() Totals {
	c.history.mutex.Lock()
	defer c.history.mutex.Unlock()
	return c.history.totals
}

// Next are the next two times of the schedule; none without one.
func (c *Collector) Next() []time.Time {
	times, err := schedule.Parse(c.options.Schedule, c.options.TimeZone)
	if err != nil || c.readOnly {
		return nil
	}
	first := times.Next(time.Now())
	return []time.Time{first, times.Next(first)}
}

func (h *history) setUnderWay(is bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.totals.UnderWay = is
}

// end leaves out what was not carried out, as another server was at it or this one stops.
func (h *history) end(ctx context.Context, run Run) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if run.Err != nil && (ctx.Err() != nil || errors.As(run.Err, new(fence.Busy))) {
		return
	}
	if run.Err == nil {
		h.totals.Succeeded++
		h.totals.LastSuccess = time.Now()
	} else {
		h.totals.Failed++
	}
	if r := run.Report; r != nil {
		h.totals.Tags += int64(r.Tags.Deleted)
		h.totals.Manifests += int64(r.Manifests.Deleted)
		h.totals.Blobs += int64(r.Blobs.Deleted)
		h.totals.Bytes += r.Bytes
	}
	h.runs = append([]Run{run}, h.runs[:min(len(h.runs), remembered-1)]...)
	for _, do := range h.ended {
		do()
	}
}
