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
	// freed is what earlier collections freed.
	freed plan.Freed
	// pushed are the tags that were pushed during the collection.
	pushed map[string]bool

	mutex  sync.Mutex
	out    io.Writer
	report *Report
	// spared are manifests that were not deleted because clients count on them. All that they need is
	// then kept too.
	spared []plan.Deletion
	// noted has the writes that observers still have to be told of. unsaid has the lines that are
	// still to be written to out, while paused says that writers wait.
	noted  []writes.Write
	unsaid []string
	paused bool
}

// dry only counts. It leaves in the plan what would be deleted now.
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

// tries is more than one for a machine that was suspended, or a store that gave no answer for a while.
const tries = 3

// carryOut begins anew if the right to collect is lost. The report is of all tries, and nil if none began.
func (r *run) carryOut(ctx context.Context) (*Report, error) {
	err := r.try(ctx)
	for n := 1; n < tries && errors.Is(err, fence.ErrLost); n++ {
		r.say("the collection begins anew: %v", err)
		r.log.WithError(err).Warn("garbage collection begins anew")
		again := r.try(ctx)
		if errors.As(again, new(fence.Busy)) {
			// The other collection does the rest.
			break
		}
		err = again
	}
	if r.hold == nil {
		return nil, err
	}
	return r.report, err
}

// try carries out a collection for as long as it is the only one of the store.
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
			// Even a disk that was full has room for the links now.
			err = r.complete(ctx, list)
		}
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		// The store's error would say only that it was told to stop.
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
	// What an earlier try deleted counts as found, too.
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
		// Writers must not wait for the reader of out.
		r.unsaid = append(r.unsaid, line)
		return
	}
	// If the reader goes away, the context ends the collection.
	_, _ = io.WriteString(r.out, line)
}

// setPaused says whether writers wait. The lines that are held back during a pause are written after it.
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

// count counts what was deleted, or would be.
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

// tidy deletes what was left by writers that were killed or did not come back. Nothing refers to it, and on
// a full disk this makes room for what has to be written before the first deletion.
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
