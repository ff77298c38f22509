// Package transfer copies a registry from one store to another.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
	"container-registry/server/internal/storecheck"
)

// checkLimit is how long either store has to answer before anything is copied.
const checkLimit = 20 * time.Second

// Options say how to copy.
type Options struct {
	// Workers is how many files are copied at once.
	Workers int
	// DryRun only says what would be copied.
	DryRun bool
	// SourceMayChange allows a source that takes pushes.
	SourceMayChange bool
	// Progress is told what is being done, a line every Interval.
	Progress io.Writer
	Interval time.Duration
}

// side is one of the two stores.
type side struct {
	*store.Store
	driver storagedriver.StorageDriver
	// twice is the driver for files whose absence decides something. The source's driver is like that for all
	// files.
	twice storagedriver.StorageDriver
}

// Run copies the registry that one configuration keeps in its store into the store of another one. It returns a
// report whenever copying has begun.
func Run(ctx context.Context, from, to *configuration.Configuration, options Options) (*Report, error) {
	if options.Workers < 1 {
		return nil, errors.New("--workers must be 1 or more")
	}
	source, target := &side{Store: store.Of(from)}, &side{Store: store.Of(to)}
	if source.Same(target.Store) {
		return nil, fmt.Errorf("FROM_CONFIG and TO_CONFIG name the same store, %s", source)
	}
	if !source.ReadOnly() && !options.SourceMayChange {
		return nil, fmt.Errorf("%s may take pushes while it is copied, and what is pushed late would be missing from the copy; "+
			"set storage.maintenance.readonly.enabled: true in the registry's configuration and in FROM_CONFIG. "+
			"Or give --source-may-change for a first copy, and make it read-only before the last one", source)
	}
	var err error
	if source.driver, err = storecheck.Check(ctx, from, storecheck.ReadOnly, checkLimit); err != nil {
		return nil, err
	}
	source.driver = layout.Sure(source.driver)
	source.twice = source.driver
	access := storecheck.ReadWrite
	if options.DryRun {
		access = storecheck.ReadOnly
	}
	if target.driver, err = storecheck.Check(ctx, to, access, checkLimit); err != nil {
		return nil, err
	}
	target.twice = layout.Twice(target.driver)
	if options.DryRun {
		return newRun(source, target, options).all(ctx)
	}
	// Tags come last. A garbage collection before that would delete what they refer to.
	host, _ := os.Hostname()
	name := fmt.Sprintf("the transfer on %s, process %d", host, os.Getpid())
	hold, ctx, err := fence.New(target.driver, name, fence.TimingOf(to.Storage.Type()), fence.NoCache{}).Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; run it again later", target, err)
	}
	defer hold.Release(ctx)
	r := newRun(source, target, options)
	r.pushed = hold.Pushed
	return r.all(ctx)
}
