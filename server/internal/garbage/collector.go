// Package garbage deletes what nobody needs any more while the registry goes on working:
// tags that the retention rules do not keep, manifests without a tag, and blobs that no
// manifest refers to.
//
// # Why no image is lost
//
// A collection lists the blobs, and then finds out what is needed, while clients push and
// pull. What is pushed after the list was made is on no list of deletions. What was on it
// may come to be needed while the collection works: a client that finds an old layer in
// the registry does not upload it again. So everything is deleted in short pauses of all
// writers, and each begins with what was pushed since (package fence says why that is
// complete): those manifests and all they refer to are taken off the list. Whoever pushes
// a manifest after the pause has the engine look for every blob of it in the store, as no
// cache outlives a pause; so a push either fails with an error or has all its blobs.
// Between pauses the rest of the list stays as it is, since every manifest that was
// pushed is taken into account before the next deletion.
//
// A pause ends after three quarters of a second (plus the answer of the store to what is
// under way; where that takes long, writers go on between attempts that wait longer), however
// large the store is: what depends on its size happens outside, and so does looking at what
// was pushed before the pause was announced.
//
// Uploads under way are not touched. The order of deletions is from tags to blobs, so a
// collection that is cut off leaves links to blobs, never the other way round.
//
// # Why all goes in the end
//
// Manifests without a tag stay unless somebody wants them deleted, and those that a retention rule
// freed look the same once their tags are gone. So a collection notes what it frees before it
// deletes the first tag, and the next one takes what is left of it: what was young, what clients
// counted on, and what there was no time for. That note keeps nothing from being kept for any other
// reason: it counts for manifests alone that nobody has pushed since and no tag names, with what is
// about them, and only while a rule covers their repository.
//
// A tag about a manifest that a client deleted goes, in a collection of manifests without a tag, as
// long as the store still shows that the manifest was in that repository. Where it does not, the
// tag may be about an image that is elsewhere.
package garbage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
	"container-registry/server/internal/walk"
	"container-registry/server/internal/writes"
)

// budget is how long a pause deletes, and how long writers go on after it. With what it takes
// to begin and to end a pause, no write waits for a second. Those of this server also go on
// while a pause is announced.
const budget = 750 * time.Millisecond

// Collector collects one store.
type Collector struct {
	driver storagedriver.StorageDriver
	// store has words for what it does not let happen; nil without.
	store    *store.Store
	fence    *fence.Fence
	options  Options
	log      *logrus.Entry
	readOnly bool
	history  history
	preview  preview
	// observers are told of what is deleted, after holdBack.
	observers []writes.Observer
	holdBack  writes.HoldBack
	// orders are what Run does beside its schedule; one may wait.
	orders chan func(context.Context)
}

// New makes a collector for the server, or command, that the fence is of.
func New(driver storagedriver.StorageDriver, f *fence.Fence, options Options, log *logrus.Entry) *Collector {
	return &Collector{driver: driver, fence: f, options: options, log: log, orders: make(chan func(context.Context), 1)}
}

// Request is what one collection is asked to do beyond the configuration.
type Request struct {
	DryRun         bool
	DeleteUntagged bool
}

// Collect writes what it deletes to out, a line each.
func (c *Collector) Collect(ctx context.Context, request Request, out io.Writer) (*Report, error) {
	began := time.Now()
	run := c.run(request, out)
	if request.DryRun {
		err := run.dry(ctx)
		run.report.Took = time.Since(began)
		return run.report, err
	}
	if c.readOnly {
		return nil, errReadOnly
	}
	report, err := run.carryOut(ctx)
	err = c.explain(err)
	if report != nil {
		report.Took = time.Since(began)
	}
	if c.history.end(ctx, Run{began, report, err}) {
		c.keep(ctx)
	}
	return report, err
}

// explain says of a store that is full what to do: a collection writes before it deletes.
func (c *Collector) explain(err error) error {
	if err != nil && c.store != nil {
		if failure := c.store.Failure(store.Write, err); failure.Fault == store.Full {
			return failure
		}
	}
	return err
}

func (c *Collector) run(request Request, out io.Writer) *run {
	options := c.options
	options.DeleteUntagged = options.DeleteUntagged || request.DeleteUntagged
	options.DryRun = request.DryRun
	return &run{Collector: c, options: options, out: out, pushed: map[string]bool{}, report: &Report{DryRun: request.DryRun}}
}

// run is one collection.
type run struct {
	*Collector
	options Options
	hold    *fence.Hold
	todo    *plan
	// freed are what earlier ones freed.
	freed freed
	// pushed are the tags that were pushed meanwhile.
	pushed map[string]bool

	mutex  sync.Mutex
	out    io.Writer
	report *Report
	// spared are the manifests that clients count on, with all they need.
	spared []deletion
	// noted is what observers are still to be told of, and unsaid what whoever ordered the
	// collection is, while paused says that writers wait.
	noted  []writes.Write
	unsaid []string
	paused bool
}

// dry only counts.
func (r *run) dry(ctx context.Context) error {
	if err := r.plan(ctx); err != nil {
		return err
	}
	for _, d := range r.todo.deletions {
		if d.stage == repositories {
			if inUse, err := r.inUse(ctx, d.repository); err != nil {
				return err
			} else if inUse {
				continue
			}
		}
		r.count(d)
	}
	return nil
}

// carryOut deletes what is found, as the only collection there is.
func (r *run) carryOut(ctx context.Context) (*Report, error) {
	hold, ctx, err := r.fence.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer r.fence.KeepSpare(context.WithoutCancel(ctx))
	defer hold.Release(ctx)
	r.history.setUnderWay(true)
	defer r.history.setUnderWay(false)
	r.hold = hold
	err = r.plan(ctx)
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
	r.report.LongestPause = hold.LongestPause()
	return r.report, err
}

func (r *run) plan(ctx context.Context) error {
	inventory, err := r.lookTwice(ctx)
	if err != nil {
		return err
	}
	r.freed = r.freedBefore(ctx)
	r.todo = makePlan(inventory, r.options, r.freed, time.Now())
	r.report.Repositories = len(inventory.repositories)
	r.report.Blobs.Found = len(inventory.blobs)
	for _, each := range inventory.repositories {
		r.report.Manifests.Found += len(each.revisions)
		r.report.Tags.Found += len(each.tags)
	}
	for _, each := range inventory.problems {
		r.say("warning: %s", each)
		r.log.Warn("garbage collection: " + each)
	}
	r.report.Wishes = len(r.todo.wishes)
	for _, wish := range r.todo.wishes {
		r.say("would be deleted: %s (retention is set to a dry run)", wish)
		r.log.WithFields(logrus.Fields{"repository": wish.repository, "tag": wish.tag, "rule": wish.rule}).Info("retention would delete a tag; it is set to a dry run")
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
func (r *run) count(d deletion) {
	verb := "deleted"
	if r.options.DryRun {
		verb = "would be deleted"
	}
	r.mutex.Lock()
	switch d.stage {
	case tags:
		r.report.Tags.Deleted++
	case manifests:
		r.report.Manifests.Deleted++
	case blobs:
		r.report.Blobs.Deleted++
		r.report.Bytes += r.todo.needs.inventory.blobs[d.digest].size
	case repositories:
		r.report.RepositoriesDeleted++
	}
	r.mutex.Unlock()
	if d.stage != layers && d.stage != links {
		r.say("%s: %s", verb, d)
	}
	if d.stage == tags && d.digest != "" && !r.options.DryRun {
		r.log.WithFields(logrus.Fields{"repository": d.repository, "tag": d.tag, "digest": d.digest, "rule": d.rule}).Info("retention deleted a tag")
	}
}

// tidy deletes files that writers left who were killed. Nothing refers to them.
func (r *run) tidy(ctx context.Context) error {
	for _, each := range r.todo.needs.inventory.leftovers {
		info, err := r.driver.Stat(ctx, each)
		if layout.IsMissing(err) {
			continue
		}
		if err == nil && !info.IsDir() && time.Since(info.ModTime()) > abandonment {
			err = r.hold.Remove(ctx, each)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) sweep(ctx context.Context) error {
	rest := r.todo.deletions
	for len(rest) > 0 {
		var err error
		if rest, err = r.pause(ctx, rest); err != nil {
			return err
		}
		if len(rest) > 0 {
			select {
			case <-time.After(budget):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// pause deletes for a while and returns what is left to do.
func (r *run) pause(ctx context.Context, rest []deletion) (_ []deletion, err error) {
	// Most of what was pushed can be looked at while writers go on.
	pushed, err := r.hold.Pushed(ctx)
	if err == nil {
		err = r.protect(ctx, pushed)
	}
	if err != nil {
		return nil, err
	}
	r.setPaused(true)
	pushed, err = r.hold.Pause(ctx)
	release := r.holdBack.Begin()
	defer func() {
		if resumed := r.hold.Resume(ctx); err == nil {
			err = resumed
		}
		r.tell(ctx)
		release()
		r.setPaused(false)
	}()
	if errors.Is(err, fence.ErrWriters) {
		return rest, nil
	}
	if err != nil {
		return nil, err
	}
	r.report.Pauses++
	if err := r.protect(ctx, pushed); err != nil {
		return nil, err
	}
	r.keepTouched(rest)
	for until := time.Now().Add(budget); len(rest) > 0 && time.Now().Before(until); {
		done, err := r.deleteSome(ctx, rest, until)
		if err != nil {
			return nil, err
		}
		rest = rest[done:]
	}
	return rest, nil
}

// deleteSome stays within a stage, and returns how many deletions are done.
func (r *run) deleteSome(ctx context.Context, rest []deletion, until time.Time) (done int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for done < len(rest) && rest[done].stage == rest[0].stage && time.Now().Before(until) && ctx.Err() == nil {
		d := rest[done]
		group.Go(func() error { return r.delete(ctx, d) })
		done++
	}
	err = group.Wait()
	for _, d := range r.spared {
		r.todo.needs.keep(d.repository, d.digest)
	}
	r.spared = nil
	return done, err
}

// keepTouched is for manifests that clients were told of, before anything they need goes.
func (r *run) keepTouched(rest []deletion) {
	for _, d := range rest {
		if d.stage == manifests && r.hold.Touched(d.digest) {
			r.todo.needs.keep(d.repository, d.digest)
		}
	}
}

// protect takes manifests that were pushed, and all they need, off the list. They may not
// be in the store yet: other servers tell before they write.
func (r *run) protect(ctx context.Context, pushed []fence.Pushed) error {
	i, needs := r.todo.needs.inventory, r.todo.needs
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for n, p := range pushed {
		if p.Manifest == nil {
			// A server of before wrote it, which tells afterwards.
			m, err := i.manifest(ctx, p.Repository, p.Digest)
			if err != nil {
				return err
			}
			p.Manifest, pushed[n].Manifest = m, m
		}
		for _, d := range p.Manifest.References() {
			if d.Validate() == nil && d.Algorithm() != digest.Canonical {
				group.Go(func() error { return i.readAlias(reading, p.Repository, d) })
			}
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, p := range pushed {
		for _, tag := range p.Named() {
			r.pushed[p.Repository+":"+tag] = true
		}
		// Its bytes may have been gone or damaged when it was kept before.
		i.manifests[p.Digest] = p.Manifest
		i.repository(p.Repository).revisions[p.Digest] = time.Now().UnixMicro()
		if needs.manifests[p.Repository] == nil {
			needs.manifests[p.Repository] = map[digest.Digest]bool{}
		}
		delete(needs.manifests[p.Repository], p.Digest)
		needs.keep(p.Repository, p.Digest)
	}
	return nil
}

// delete does so if it is still to be done.
func (r *run) delete(ctx context.Context, d deletion) error {
	needs := r.todo.needs
	var paths []string
	switch d.stage {
	case tags:
		if moved, err := r.moved(ctx, d); err != nil || moved {
			return err
		}
		if d.rule == "" && needs.manifests[d.repository][d.digest] {
			return nil
		}
		paths = []string{layout.RepositoryPath(d.repository, layout.Tags, d.tag)}
	case manifests:
		if needs.manifests[d.repository][d.digest] {
			return nil
		}
		paths = r.linksTo(d)
	case links:
		if needs.manifests[d.repository][d.digest] {
			return nil
		}
		paths = []string{r.whole(layout.ReferrerPath(d.repository, d.subject, d.digest))}
	case layers:
		if needs.blobs[d.digest] {
			return nil
		}
		paths = []string{r.whole(layout.LinkPath(layout.RepositoryPath(d.repository, layout.Layers), d.digest))}
	case blobs:
		if needs.blobs[d.digest] {
			return nil
		}
		paths = []string{r.whole(layout.BlobPath(d.digest))}
	case repositories:
		if inUse, err := r.inUse(ctx, d.repository); err != nil || inUse {
			return err
		}
		paths = []string{layout.RepositoryPath(d.repository, layout.Layers), layout.RepositoryPath(d.repository, layout.Referrers), layout.RepositoryPath(d.repository, layout.Manifests)}
	}
	done, err := r.remove(ctx, d, paths)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", d, err)
	case done:
		r.count(d)
		r.note(d)
	default:
		r.mutex.Lock()
		r.report.Spared++
		if d.stage == manifests {
			r.spared = append(r.spared, d)
		}
		r.mutex.Unlock()
	}
	return nil
}

// remove spares what a client may have been told of.
func (r *run) remove(ctx context.Context, d deletion, paths []string) (bool, error) {
	if d.stage == tags || d.stage == repositories {
		return true, r.hold.Remove(ctx, paths...)
	}
	return r.hold.Delete(ctx, d.digest, paths...)
}

// whole is what goes with a blob or link: its folder, unless the store has none, where
// looking for more in it would only take time.
func (r *run) whole(file string) string {
	if _, ok := r.driver.(walk.Lister); ok {
		return file
	}
	return path.Dir(file)
}

// moved says whether a tag was pushed since the rules looked at it.
func (r *run) moved(ctx context.Context, d deletion) (bool, error) {
	if r.pushed[d.repository+":"+d.tag] {
		return true, nil
	}
	content, err := layout.Read(ctx, r.driver, layout.TagPath(d.repository, d.tag))
	if layout.IsMissing(err) {
		// What a push left that was cut off is still the same.
		return d.digest != "", nil
	}
	return d.digest == "" || digest.Digest(content) != d.digest, err
}

// linksTo are the links to a manifest: of tags that named it once, and the one by which
// it is found.
func (r *run) linksTo(d deletion) []string {
	var paths []string
	for _, tag := range d.named {
		paths = append(paths, r.whole(layout.LinkPath(layout.RepositoryPath(d.repository, layout.Tags, tag, "index"), d.digest)))
	}
	return append(paths, r.whole(layout.LinkPath(layout.RepositoryPath(d.repository, layout.Revisions), d.digest)))
}

// inUse says whether a repository that was empty is pushed to.
func (r *run) inUse(ctx context.Context, repository string) (bool, error) {
	if len(r.todo.needs.manifests[repository]) > 0 || r.fence.InUse(repository) {
		return true, nil
	}
	uploads, err := layout.Names(ctx, r.driver, layout.RepositoryPath(repository, layout.Uploads))
	return len(uploads) > 0, err
}
