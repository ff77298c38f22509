package garbage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/garbage/plan"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/writes"
)

func (c *Collector) run(request Request, out io.Writer) *run {
	options := c.options
	options.DeleteUntagged = options.DeleteUntagged || request.DeleteUntagged
	options.DryRun = request.DryRun
	return &run{Collector: c, options: options, out: out, report: &Report{DryRun: request.DryRun}}
}

// run is one collection.
type run struct {
	*Collector
	options Options
	hold    *fence.Hold
	todo    *plan.Plan
	// freed are what earlier ones freed.
	freed plan.Freed
	// pushed are the tags that were pushed meanwhile.
	pushed map[string]bool

	mutex  sync.Mutex
	out    io.Writer
	report *Report
	// spared are the manifests that clients count on, with all they need.
	spared []plan.Deletion
	// noted is what observers are still to be told of, and unsaid what whoever ordered the
	// collection is, while paused says that writers wait.
	noted  []writes.Write
	unsaid []string
	paused bool
}

// dry only counts, and leaves in the plan what would be deleted now.
func (r *run) dry(ctx context.Context) error {
	if err := r.plan(ctx); err != nil {
		return err
	}
	for u, size := range r.todo.Needs.Inventory.CutOff {
		r.countUpload(u, size)
	}
	r.keepTouched(r.todo.Deletions)
	left := r.todo.Deletions[:0]
	for _, d := range r.todo.Deletions {
		needed, err := r.isNeeded(ctx, d)
		switch {
		case err != nil:
			return err
		case needed:
		case byDigest(d) && r.fence.Touched(d.Digest):
			r.report.Spared++
		default:
			r.count(d)
			left = append(left, d)
		}
	}
	r.todo.Deletions = left
	return nil
}

// tries are for a machine that was suspended, or a store that gave no answer for a while.
const tries = 3

// carryOut begins anew where the right to collect is lost. The report is of all tries, and nil if none began.
func (r *run) carryOut(ctx context.Context) (*Report, error) {
	err := r.try(ctx)
	for n := 1; n < tries && errors.Is(err, fence.ErrLost); n++ {
		r.say("the collection begins anew: %v", err)
		r.log.WithError(err).Warn("garbage collection begins anew")
		again := r.try(ctx)
		if errors.As(again, new(fence.Busy)) {
			// That one goes on.
			break
		}
		err = again
	}
	if r.hold == nil {
		return nil, err
	}
	return r.report, err
}

// try deletes what is found, as the only collection there is.
func (r *run) try(ctx context.Context) error {
	hold, ctx, err := r.fence.Acquire(ctx)
	if err != nil {
		return err
	}
	defer r.fence.KeepSpare(context.WithoutCancel(ctx))
	defer hold.Release(ctx)
	r.history.setUnderWay(true)
	defer r.history.setUnderWay(false)
	r.hold, r.pushed, r.spared = hold, map[string]bool{}, nil
	if err = hold.CompareClocks(ctx); err == nil {
		err = r.plan(ctx)
	}
	if err == nil {
		err = r.tidy(ctx)
	}
	if err == nil {
		r.remember(ctx)
		list := r.missingLinks()
		if err = r.sweep(ctx); err == nil {
			// A full disk has room for it now.
			err = r.complete(ctx, list)
		}
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		// Stores say only that they were told to stop.
		err = cause
	}
	r.report.LongestPause = max(r.report.LongestPause, hold.LongestPause())
	return err
}

func (r *run) plan(ctx context.Context) error {
	found, err := r.lookTwice(ctx)
	if err != nil {
		return err
	}
	r.freed = r.freedBefore(ctx)
	now := time.Now()
	after, until := r.fence.Forgotten(now)
	options := plan.Options{Retention: r.options.Retention, Grace: r.options.Grace, DeleteUntagged: r.options.DeleteUntagged}
	r.todo = plan.Make(found, options, r.freed, plan.Span{After: after.UnixMicro(), Until: until.UnixMicro()}, now)
	r.report.Repositories = len(found.Repositories)
	// What an earlier try deleted was found by it.
	r.report.Blobs.Found = r.report.Blobs.Deleted + len(found.Blobs)
	r.report.Manifests.Found, r.report.Tags.Found = r.report.Manifests.Deleted, r.report.Tags.Deleted
	for _, each := range found.Repositories {
		r.report.Manifests.Found += len(each.Revisions)
		r.report.Tags.Found += len(each.Tags)
	}
	for _, each := range found.Problems {
		r.say("warning: %s", each)
		r.log.Warn("garbage collection: " + each)
	}
	r.report.Wishes = len(r.todo.Wishes)
	for _, wish := range r.todo.Wishes {
		r.say("would be deleted: %s (retention is set to a dry run)", wish)
		r.log.WithFields(logrus.Fields{"repository": wish.Repository, "tag": wish.Tag, "rule": wish.Rule}).Info("retention would delete a tag; it is set to a dry run")
	}
	return nil
}

func (r *run) say(format string, values ...any) {
	line := fmt.Sprintf(format+"\n", values...)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.paused {
		// Writers must not wait for whoever reads.
		r.unsaid = append(r.unsaid, line)
		return
	}
	// A client that went away ends the collection by its context.
	_, _ = io.WriteString(r.out, line)
}

// setPaused says whether writers wait. What was not said meanwhile is said when they don't.
func (r *run) setPaused(paused bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.paused = paused
	if paused {
		return
	}
	for _, line := range r.unsaid {
		_, _ = io.WriteString(r.out, line)
	}
	r.unsaid = nil
}

// count is for what was deleted, or would be.
func (r *run) count(d plan.Deletion) {
	r.mutex.Lock()
	switch d.Stage {
	case plan.Tags:
		r.report.Tags.Deleted++
	case plan.Manifests:
		r.report.Manifests.Deleted++
	case plan.Blobs:
		r.report.Blobs.Deleted++
		r.report.Bytes += r.todo.Needs.Inventory.Blobs[d.Digest].Size
	case plan.Repositories:
		r.report.RepositoriesDeleted++
	}
	r.mutex.Unlock()
	if d.Stage != plan.Layers && d.Stage != plan.Links {
		r.say("%s: %s", r.report.verb(), d)
	}
	if d.Stage == plan.Tags && d.Digest != "" && !r.options.DryRun {
		log := r.log.WithFields(logrus.Fields{"repository": d.Repository, "tag": d.Tag, "digest": d.Digest})
		if d.Rule == "" {
			log.Info("garbage collection deleted a tag, as what it is about goes")
		} else {
			log.WithField("rule", d.Rule).Info("retention deleted a tag")
		}
	}
}

// tidy deletes what writers left who were killed, or did not come back. Nothing refers to it, and on
// a full disk it makes room for what is written before the first deletion.
func (r *run) tidy(ctx context.Context) error {
	if err := r.removeUploads(ctx); err != nil {
		return err
	}
	for _, each := range r.todo.Needs.Inventory.Leftovers {
		info, err := r.driver.Stat(ctx, each)
		if layout.IsMissing(err) {
			continue
		}
		if err == nil && !info.IsDir() && time.Since(info.ModTime()) > inventory.Abandonment {
			err = r.hold.Remove(ctx, each)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
