package garbage

import (
	"context"
	"io"
	"time"

	"github.com/sirupsen/logrus"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/store"
	"container-registry/server/internal/unread"
	"container-registry/server/internal/writes"
)

// Collector collects one store.
type Collector struct {
	driver storagedriver.StorageDriver
	// store explains its failures. It may be nil.
	store    *store.Store
	fence    *fence.Fence
	options  Options
	log      *logrus.Entry
	readOnly bool
	history  history
	preview  preview
	// observers are told of what is deleted. Before that, holdBack has them hold back what comes later.
	observers []writes.Observer
	holdBack  writes.HoldBack
	// orders are what Run does besides its schedule. One may wait.
	orders chan func(context.Context)
}

// New makes a collector for the server, or command, that the fence belongs to.
func New(driver storagedriver.StorageDriver, f *fence.Fence, options Options, log *logrus.Entry) *Collector {
	return &Collector{driver: driver, fence: f, options: options, log: log, orders: make(chan func(context.Context), 1)}
}

// Request is what one collection is asked to do beyond the configuration.
type Request struct {
	DryRun         bool
	DeleteUntagged bool
}

// Collect writes what it deletes to out, a line each. It waits for the reader of out at the end, when the
// next collection may already begin.
func (c *Collector) Collect(ctx context.Context, request Request, out io.Writer) (*Report, error) {
	began := time.Now()
	told := unread.To(out)
	defer told.Close()
	run := c.run(request, told)
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

// explain says what to do if the store is full: a collection has to write before it deletes.
func (c *Collector) explain(err error) error {
	if err != nil && c.store != nil {
		if failure := c.store.Failure(store.Write, err); failure.Fault == store.Full {
			return failure
		}
	}
	return err
}
