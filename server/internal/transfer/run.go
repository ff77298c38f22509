package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

// toPutBack is how long an interrupted run goes on for clients' pushes. Its right to write lasts longer.
const toPutBack = 5 * time.Second

// run is one transfer under way.
type run struct {
	from, to *side
	Options
	// pushed returns what clients have pushed to the target since the last call.
	pushed   func(context.Context) ([]fence.Pushed, error)
	report   *Report
	progress *progress
	staging  *staging

	mutex sync.Mutex
	// present are the blobs, and with their repository the links, that the target has.
	present map[string]bool
	// lost are the blobs, and with their repository the links, that could not be copied.
	lost map[string]bool
}

func newRun(from, to *side, options Options) *run {
	return &run{
		from: from, to: to, Options: options, pushed: none,
		report:   &Report{From: from.String(), To: to.String(), DryRun: options.DryRun, started: time.Now()},
		progress: newProgress(options.Progress, options.Interval),
		staging:  newStaging(to),
		present:  map[string]bool{},
		lost:     map[string]bool{},
	}
}

// all copies what others need first: blobs, then the links of repositories to their
// layers, manifests and referrers, then tags. So a registry on the target never shows a tag that
// cannot be pulled.
func (r *run) all(ctx context.Context) (*Report, error) {
	defer r.progress.stop()
	r.progress.begin("looking at what there is", 0)
	found, theirs, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	if len(found.repositories) == 0 && len(found.blobs) == 0 {
		return nil, fmt.Errorf("%s holds no registry; check its rootdirectory", r.from)
	}
	if err := r.noteAlone(ctx, found, theirs); err != nil {
		return nil, err
	}
	if !r.DryRun {
		if err := r.staging.clear(ctx); err != nil {
			return nil, r.to.Failure(store.Delete, err)
		}
		defer r.staging.clear(context.WithoutCancel(ctx))
	}
	err = r.phases(ctx, found)
	r.report.took = time.Since(r.report.started)
	if ctx.Err() != nil {
		err = errors.New("interrupted; run it again to go on where it stopped")
	}
	return r.report, errors.Join(err, r.report.failure())
}

// look walks through both stores at once, to take less time: nobody may push meanwhile.
func (r *run) look(ctx context.Context) (found *snapshot, theirs []*tag, err error) {
	group, limited := errgroup.WithContext(ctx)
	group.Go(func() error {
		var err error
		if found, err = takeSnapshot(limited, r.from.driver, r.Workers); err != nil {
			return r.from.Failure(store.List, err)
		}
		return nil
	})
	group.Go(func() (err error) {
		theirs, err = r.targetTags(limited)
		return err
	})
	err = group.Wait()
	return found, theirs, err
}

func (r *run) phases(ctx context.Context, found *snapshot) error {
	r.progress.begin("blobs", len(found.blobs))
	if err := each(ctx, r.Workers, found.blobs, r.blob); err != nil {
		return err
	}
	layers := linksOf(found.repositories, layout.Layers, func(r *repository) []digest.Digest { return r.layers })
	r.progress.begin("layer links", len(layers))
	if err := each(ctx, r.Workers, layers, r.repositoryLink); err != nil {
		return err
	}
	revisions := linksOf(found.repositories, layout.Revisions, func(r *repository) []digest.Digest { return r.revisions })
	r.progress.begin("manifest links", len(revisions))
	if err := each(ctx, r.Workers, revisions, r.repositoryLink); err != nil {
		return err
	}
	var referrers []link
	for _, each := range found.repositories {
		referrers = append(referrers, each.referrers...)
	}
	r.progress.begin("links to referrers", len(referrers))
	if err := each(ctx, r.Workers, referrers, r.referrerLink); err != nil {
		return err
	}
	tags := found.tags()
	r.progress.begin("tags", len(tags))
	err := each(ctx, r.Workers, tags, r.tag)
	if errors.Is(context.Cause(ctx), fence.ErrLost) {
		return err
	}
	// A client's push that was overwritten is put back also by a run that ends early: no later run knows of it.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), toPutBack)
	defer cancel()
	return cmp.Or(err, r.putBack(last, tags))
}

// inRepository is the key of a link in present and lost.
func inRepository(repository string, d digest.Digest) string { return repository + "@" + d.String() }

func (r *run) mark(set map[string]bool, key string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	set[key] = true
}

func (r *run) has(set map[string]bool, key string) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return set[key]
}

// endsAll says whether the error keeps everything else from being done, too.
func endsAll(err error) bool {
	var failure *store.Failure
	return errors.As(err, &failure) && failure.Fault.Lasting() && failure.Fault != store.Denied
}

// failed notes what could not be copied. It returns an error if nothing else can be copied either.
func (r *run) failed(ctx context.Context, what, key string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if endsAll(err) {
		return err
	}
	r.mark(r.lost, key)
	r.report.addFailure("%s: %v", what, err)
	return nil
}
