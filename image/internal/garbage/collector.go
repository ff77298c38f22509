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
// A pause ends after a second (plus the answer of the store to what is under way), however
// large the store is: what depends on its size happens outside.
//
// Uploads under way are not touched. The order of deletions is from tags to blobs, so a
// collection that is cut off leaves links to blobs, never the other way round.
package garbage

import (
	"context"
	"fmt"
	"io"
	"path"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"
	"golang.org/x/sync/errgroup"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/image/internal/fence"
	"container-registry/image/internal/layout"
)

const (
	// budget is how long a pause deletes.
	budget = time.Second
	// handful is how much is deleted between two looks at the clock.
	handful = 4 * workers
)

// Collector collects one store.
type Collector struct {
	driver   storagedriver.StorageDriver
	fence    *fence.Fence
	options  Options
	log      *logrus.Entry
	readOnly bool
}

// New makes a collector for the server, or command, that the fence is of.
func New(driver storagedriver.StorageDriver, f *fence.Fence, options Options, log *logrus.Entry) *Collector {
	return &Collector{driver: driver, fence: f, options: options, log: log}
}

// Request is what one collection is asked to do beyond the configuration.
type Request struct {
	DryRun         bool
	DeleteUntagged bool
}

// Collect writes what it deletes to out, a line each.
func (c *Collector) Collect(ctx context.Context, request Request, out io.Writer) (*Report, error) {
	options := c.options
	options.DeleteUntagged = options.DeleteUntagged || request.DeleteUntagged
	options.DryRun = request.DryRun
	run := &run{Collector: c, options: options, out: out, pushed: map[string]bool{}, report: &Report{DryRun: request.DryRun}}
	began := time.Now()
	if request.DryRun {
		if err := run.plan(ctx); err != nil {
			return nil, err
		}
		for _, d := range run.todo.deletions {
			run.count(d)
		}
		run.report.Took = time.Since(began)
		return run.report, nil
	}
	if c.readOnly {
		return nil, errReadOnly
	}
	hold, ctx, err := c.fence.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer hold.Release(ctx)
	run.hold = hold
	err = run.plan(ctx)
	if err == nil {
		err = run.sweep(ctx)
	}
	run.report.Took = time.Since(began)
	run.report.LongestPause = hold.LongestPause()
	return run.report, err
}

// run is one collection.
type run struct {
	*Collector
	options Options
	hold    *fence.Hold
	todo    *plan
	// pushed are the tags that were pushed meanwhile.
	pushed map[string]bool

	mutex  sync.Mutex
	out    io.Writer
	report *Report
}

func (r *run) plan(ctx context.Context) error {
	inventory, err := takeInventory(ctx, r.driver)
	if err != nil {
		return err
	}
	r.todo = makePlan(inventory, r.options, time.Now())
	r.report.Repositories = len(inventory.repositories)
	r.report.Blobs.Found = len(inventory.blobs)
	for _, each := range inventory.repositories {
		r.report.Manifests.Found += len(each.revisions)
		r.report.Tags.Found += len(each.tags)
	}
	for _, wish := range r.todo.wishes {
		r.say("would be deleted: %s (retention is set to a dry run)", wish)
		r.log.WithFields(logrus.Fields{"repository": wish.repository, "tag": wish.tag, "rule": wish.rule}).Info("retention would delete a tag; it is set to a dry run")
	}
	return nil
}

func (r *run) say(format string, values ...any) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	// A client that went away ends the collection by its context.
	_, _ = fmt.Fprintf(r.out, format+"\n", values...)
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
	if d.stage != layers {
		r.say("%s: %s", verb, d)
	}
	if d.stage == tags && !r.options.DryRun {
		r.log.WithFields(logrus.Fields{"repository": d.repository, "tag": d.tag, "digest": d.digest, "rule": d.rule}).Info("retention deleted a tag")
	}
}

func (r *run) sweep(ctx context.Context) error {
	rest := r.todo.deletions
	for len(rest) > 0 {
		began := time.Now()
		var err error
		if rest, err = r.pause(ctx, rest); err != nil {
			return err
		}
		if len(rest) > 0 {
			// Writers get as much time as they lost.
			select {
			case <-time.After(time.Since(began)):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// pause deletes for a while and returns what is left to do.
func (r *run) pause(ctx context.Context, rest []deletion) (_ []deletion, err error) {
	pushed, err := r.hold.Pause(ctx)
	defer func() {
		if resumed := r.hold.Resume(ctx); err == nil {
			err = resumed
		}
	}()
	if err != nil {
		return nil, err
	}
	r.report.Pauses++
	for _, p := range pushed {
		if err := r.protect(ctx, p); err != nil {
			return nil, err
		}
	}
	for until := time.Now().Add(budget); len(rest) > 0 && time.Now().Before(until); {
		n := 1
		for n < min(handful, len(rest)) && rest[n].stage == rest[0].stage {
			n++
		}
		group, limited := errgroup.WithContext(ctx)
		group.SetLimit(workers)
		for _, d := range rest[:n] {
			group.Go(func() error { return r.delete(limited, d) })
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	return rest, nil
}

// protect takes a manifest that was pushed, and all it needs, off the list.
func (r *run) protect(ctx context.Context, p fence.Pushed) error {
	r.pushed[p.Repository+":"+p.Reference] = true
	i := r.todo.needs.inventory
	link := layout.LinkPath(layout.RepositoryPath(p.Repository, layout.Revisions), p.Digest)
	info, err := r.driver.Stat(ctx, link)
	if layout.IsMissing(err) {
		// It was deleted again.
		return nil
	}
	if err != nil {
		return err
	}
	m, err := i.manifest(ctx, p.Repository, p.Digest)
	if err != nil {
		return err
	}
	repository := i.repository(p.Repository)
	repository.revisions[p.Digest] = info.ModTime()
	needs := r.todo.needs
	if needs.manifests[p.Repository] == nil {
		needs.manifests[p.Repository] = map[digest.Digest]bool{}
	}
	needs.keepBlobs(p.Digest, m)
	needs.keep(p.Repository, p.Digest)
	return nil
}

// delete does so if it is still to be done.
func (r *run) delete(ctx context.Context, d deletion) error {
	needs := r.todo.needs
	var paths []string
	// countedOn is what a client may have been told of.
	countedOn := d.digest
	switch d.stage {
	case tags:
		if moved, err := r.moved(ctx, d); err != nil || moved {
			return err
		}
		if d.rule == "" && needs.manifests[d.repository][d.digest] {
			return nil
		}
		paths, countedOn = []string{layout.RepositoryPath(d.repository, layout.Tags, d.tag)}, ""
	case manifests:
		if needs.manifests[d.repository][d.digest] {
			return nil
		}
		paths = r.linksTo(d)
	case layers:
		if needs.blobs[d.digest] {
			return nil
		}
		paths = []string{path.Dir(layout.LinkPath(layout.RepositoryPath(d.repository, layout.Layers), d.digest))}
	case blobs:
		if needs.blobs[d.digest] {
			return nil
		}
		paths = []string{path.Dir(layout.BlobPath(d.digest))}
	case repositories:
		if inUse, err := r.inUse(ctx, d.repository); err != nil || inUse {
			return err
		}
		paths = []string{layout.RepositoryPath(d.repository, layout.Layers), layout.RepositoryPath(d.repository, layout.Manifests)}
	}
	done, err := r.hold.Delete(ctx, countedOn, func() error {
		for _, each := range paths {
			if err := r.driver.Delete(ctx, each); err != nil && !layout.IsMissing(err) {
				return fmt.Errorf("%s: %w", d, err)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case done:
		r.count(d)
	default:
		r.mutex.Lock()
		r.report.Spared++
		r.mutex.Unlock()
	}
	return nil
}

// moved says whether a tag was pushed since the rules looked at it.
func (r *run) moved(ctx context.Context, d deletion) (bool, error) {
	if r.pushed[d.repository+":"+d.tag] {
		return true, nil
	}
	content, err := r.driver.GetContent(ctx, currentPath(d.repository, d.tag))
	if layout.IsMissing(err) {
		return true, nil
	}
	return digest.Digest(content) != d.digest, err
}

// linksTo are the links to a manifest: of tags that named it once, and the one by which
// it is found.
func (r *run) linksTo(d deletion) []string {
	var paths []string
	for name, t := range r.todo.needs.inventory.repositories[d.repository].tags {
		for _, each := range t.history {
			if each == d.digest {
				paths = append(paths, path.Dir(layout.LinkPath(layout.RepositoryPath(d.repository, layout.Tags, name, "index"), each)))
			}
		}
	}
	return append(paths, path.Dir(layout.LinkPath(layout.RepositoryPath(d.repository, layout.Revisions), d.digest)))
}

// inUse says whether a repository that was empty is pushed to.
func (r *run) inUse(ctx context.Context, repository string) (bool, error) {
	if len(r.todo.needs.manifests[repository]) > 0 || r.hold.InUse(repository) {
		return true, nil
	}
	uploads, err := layout.Names(ctx, r.driver, layout.RepositoryPath(repository, layout.Uploads))
	return len(uploads) > 0, err
}
