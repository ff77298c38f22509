package garbage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"container-registry/server/internal/layout"
)

const (
	// keptAt is where a store remembers its latest collections. It is outside the registry's own folder,
	// so no registry looks there.
	keptAt = layout.History + "/collections"
	// lookAgain is the interval in which a server learns of the collections of other servers.
	lookAgain = 5 * time.Minute
	// patience is how long the store may take to answer.
	patience = 30 * time.Second
	// mostKept is more bytes than all of them take.
	mostKept = 64 << 10
)

// errBefore stands for the error of a collection that another process carried out.
var errBefore = errors.New("it failed; the log of that time says why")

// kept is what a store remembers of a collection.
type kept struct {
	Began  time.Time `json:"began"`
	Failed bool      `json:"failed,omitempty"`
	Report *Report   `json:"report,omitempty"`
}

// keep adds this process's collections to those that the store remembers. If that fails, they are added
// after the next one.
func (c *Collector) keep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := c.recall(ctx)
	if err == nil {
		var all []kept
		for _, run := range c.Runs() {
			all = append(all, kept{run.Began.UTC(), run.Err != nil, run.Report})
		}
		var content []byte
		if content, err = json.Marshal(all); err == nil {
			err = c.driver.PutContent(ctx, keptAt, content)
		}
	}
	if err != nil {
		c.log.WithError(err).Warn("the store could not be told of the collection; the page and metrics forget it with this process")
	}
}

// recall learns of the store's latest collections: those from before this process, and those of other
// servers.
func (c *Collector) recall(ctx context.Context) error {
	content, err := c.driver.GetContent(ctx, keptAt)
	if layout.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var all []kept
	if len(content) > mostKept || json.Unmarshal(content, &all) != nil {
		// A power cut may have left half of it. The next collection writes it anew.
		return nil
	}
	var runs []Run
	for _, each := range all {
		run := Run{Began: each.Began, Report: each.Report}
		if each.Failed {
			run.Err = errBefore
		}
		runs = append(runs, run)
	}
	c.history.add(runs)
	return nil
}

// Recall is recall for a server, which does without while the store is away.
func (c *Collector) Recall(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := c.recall(ctx); err != nil && ctx.Err() == nil {
		c.log.WithError(err).Debug("the store does not tell of its latest collections")
	}
}

// add leaves out collections that are already known, and those in the future, from a server whose clock was
// ahead: such a collection would remain the latest until that time.
func (h *history) add(runs []Run) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for _, run := range runs {
		if run.Began.After(time.Now()) {
			continue
		}
		if !slices.ContainsFunc(h.runs, func(known Run) bool { return known.Began.Equal(run.Began) }) {
			h.runs = append(h.runs, run)
		}
		last := &h.totals.LastSuccess
		if run.Err != nil {
			last = &h.totals.LastFailure
		}
		if ended := run.ended(); ended.After(*last) {
			*last = ended
		}
	}
	slices.SortStableFunc(h.runs, func(a, b Run) int { return cmp.Compare(b.Began.UnixNano(), a.Began.UnixNano()) })
	h.runs = h.runs[:min(len(h.runs), remembered)]
}
