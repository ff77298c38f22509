// Package storecheck tests whether a registry could work on a store, before a registry is
// switched to it.
package storecheck

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/storage"
	"container-registry/server/internal/store"
)

// grace is the time that a driver has, once the limit is over, to tell what kept it from answering
// in time, and to delete what was written.
const grace = 5 * time.Second

// Access is what a registry is to do with the store.
type Access bool

// A registry that is set read-only may lack the permission to write.
const (
	ReadOnly  Access = false
	ReadWrite Access = true
)

func (a Access) String() string {
	if a == ReadWrite {
		return "can be read and written"
	}
	return "can be read"
}

// AccessOf is what a registry with this configuration does with its store.
func AccessOf(c *configuration.Configuration) Access { return Access(!store.Of(c).ReadOnly()) }

// Check opens the store and does with an object of its own what a registry does with its
// blobs. It ends soon after the limit, even if the driver goes on trying. The driver that it
// returns works as long as ctx does.
func Check(ctx context.Context, c *configuration.Configuration, access Access, limit time.Duration) (storagedriver.StorageDriver, error) {
	limited, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("no answer within %s", limit))
	defer cancel()

	t := &trial{store: store.Of(c), access: access}
	done := make(chan outcome, 1)
	go func() { done <- t.run(ctx, limited) }()
	select {
	case result := <-done:
		return result.driver, result.err
	case <-limited.Done():
	}
	select {
	case result := <-done:
		return result.driver, result.err
	case <-time.After(grace):
		// The driver does not heed its context, and is left behind.
		return nil, t.failure(limited, limited.Err())
	}
}

type outcome struct {
	driver storagedriver.StorageDriver
	err    error
}

// trial is one check under way.
type trial struct {
	store  *store.Store
	access Access
	now    atomic.Value // the store.Action under way
	// refused is why the last connection was not made, or nil if it was.
	refused atomic.Pointer[error]
}

func (t *trial) run(lasting, limited context.Context) outcome {
	t.now.Store(store.Open)
	driver, err := t.store.Open(lasting)
	if err != nil {
		return outcome{err: err}
	}
	p := newProbe(storage.Single(driver))
	inParts, err := t.inParts(lasting)
	if err != nil {
		return outcome{err: err}
	}
	if err := t.steps(limited, p, inParts); err != nil {
		return outcome{err: t.tidied(lasting, p, err)}
	}
	return outcome{driver: driver}
}

// inParts is a driver that copies everything in parts, or nil if the store's own never copies in parts.
func (t *trial) inParts(ctx context.Context) (storagedriver.StorageDriver, error) {
	if inParts := t.store.InParts(); inParts != nil {
		return inParts.Open(ctx)
	}
	return nil, nil
}

type step struct {
	action store.Action
	do     func(context.Context) error
}

func (t *trial) steps(ctx context.Context, p *probe, inParts storagedriver.StorageDriver) error {
	steps := []step{
		{store.List, p.list},
		{store.Read, p.read},
		{store.Write, p.write},
		// Some drivers move an upload with a copy and a deletion.
		{store.Delete, p.delete},
		{store.Upload, p.upload},
	}
	if inParts != nil {
		steps = append(steps, step{store.Copy, p.copyInParts(inParts)})
	}
	steps = append(steps, step{store.Delete, p.delete})
	folder, use := t.store.Folder(), store.Write
	if t.access == ReadOnly {
		steps, use = steps[:2], store.Read
		if folder != "" {
			// The driver takes a missing folder for an empty one, and makes it only when it writes.
			steps[0].do = p.listRoot
		}
	}
	if folder != "" {
		steps = slices.Insert(steps, 2, step{use, func(context.Context) error { return reach(folder, t.access) }})
	}
	ctx = t.connecting(ctx)
	for _, each := range steps {
		t.now.Store(each.action)
		if err := each.do(ctx); err != nil {
			return t.failure(ctx, err)
		}
	}
	return nil
}

// connecting records the outcome of connections. A client that retries until time is up may report only that.
func (t *trial) connecting(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{ConnectDone: func(_, _ string, err error) {
		switch {
		case err == nil:
			t.refused.Store(nil)
		case ctx.Err() == nil:
			t.refused.Store(&err)
		}
	}})
}

// failure reports what the store said, rather than that time was up.
func (t *trial) failure(ctx context.Context, err error) error {
	action := t.now.Load().(store.Action)
	if refused := t.refused.Load(); refused != nil && ctx.Err() != nil {
		return t.store.Failure(action, *refused)
	}
	failure := t.store.Failure(action, err)
	if ctx.Err() == nil || failure.Fault.Lasting() || failure.Fault == store.Busy {
		return failure
	}
	if reason := context.Cause(ctx); !errors.Is(reason, context.Canceled) {
		return t.store.Failure(action, reason)
	}
	return t.store.Failure(action, errors.New("interrupted"))
}

// tidied deletes what a failed check wrote, and says what it had to leave.
func (t *trial) tidied(lasting context.Context, p *probe, failure error) error {
	if !p.tried {
		return failure
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(lasting), grace/2)
	defer cancel()
	if p.delete(ctx) != nil && p.written {
		return fmt.Errorf("%w; delete %s there, it could not be taken away", failure, t.store.Below(p.folder))
	}
	return failure
}
