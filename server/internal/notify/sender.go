package notify

import (
	"context"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/config"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/writes"
)

const (
	// patienceWithStore is how long a push waits until its event is kept, and how long a server that stops
	// waits until a sent event is deleted.
	patienceWithStore = 5 * time.Second
	// leftAfter is how old an event has to be before a server other than the one that wrote it
	// takes it over.
	leftAfter = time.Minute
	// tries is how often an event is written if the store does not take it because it is briefly busy.
	tries    = 3
	tryAfter = 200 * time.Millisecond
)

// Sender sends events to the endpoints of a server.
type Sender struct {
	source    source
	driver    storagedriver.StorageDriver
	log       *logrus.Entry
	endpoints []*endpoint
}

// New makes the sender of a server with these endpoints and this section http.
func New(endpoints []config.Notification, driver storagedriver.StorageDriver, http configuration.HTTP, log *logrus.Entry) *Sender {
	s := &Sender{source: sourceOf(http), driver: driver, log: log}
	for _, each := range endpoints {
		s.endpoints = append(s.endpoints, newEndpoint(each, driver, log))
	}
	return s
}

// Observe keeps the events of a write for the endpoints that want them.
func (s *Sender) Observe(ctx context.Context, w writes.Write) {
	list, err := envelopesOf(s.source.eventsOf(w), w.Time)
	if err != nil {
		s.log.WithError(err).Error("no notification of a write")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patienceWithStore)
	defer cancel()
	var group sync.WaitGroup
	for _, e := range s.endpoints {
		if wants(e.Notification, string(w.Action), w.Repository) {
			group.Go(func() { e.keep(ctx, list) })
		}
	}
	group.Wait()
}

// HoldBack keeps events that happen from now on from being sent until release is called. They are kept
// in the store nevertheless.
func (s *Sender) HoldBack() (release func()) {
	now := time.Now().UTC().Format(timeOfName)
	for _, e := range s.endpoints {
		e.queue.hold(now)
	}
	return func() {
		for _, e := range s.endpoints {
			e.queue.release(now)
		}
	}
}

// Run sends waiting and new events until ctx ends.
func (s *Sender) Run(ctx context.Context) {
	var group sync.WaitGroup
	group.Go(func() { s.forget(ctx) })
	for _, e := range s.endpoints {
		group.Go(func() { e.deliver(ctx) })
		group.Go(func() { e.collect(ctx) })
	}
	group.Wait()
}

// forget deletes the events that wait for endpoints that are no longer in the configuration.
func (s *Sender) forget(ctx context.Context) {
	names, err := layout.Names(ctx, s.driver, layout.Events)
	if err != nil {
		s.log.WithError(err).Warn("notifications: the store does not say for which endpoints events wait")
		return
	}
	known := map[string]bool{}
	for _, e := range s.endpoints {
		known[e.Name] = true
	}
	for _, name := range names {
		if known[name] {
			continue
		}
		if err := layout.Remove(ctx, s.driver, folderOf(name)); err != nil {
			s.log.WithError(err).Warn("notifications: events for an endpoint of before could not be deleted")
		}
	}
}

// keep writes envelopes to the store, and queues them for sending.
func (e *endpoint) keep(ctx context.Context, list []envelope) {
	for _, each := range list {
		if err := e.write(ctx, each); err != nil {
			e.count(e.dropped, unkept)
			e.log.WithError(err).Error("an event could not be kept in the store; the endpoint will not get it")
			continue
		}
		e.enqueue(ctx, each)
	}
}

func (e *endpoint) write(ctx context.Context, each envelope) error {
	for try := 1; ; try++ {
		err := e.driver.PutContent(ctx, e.pathOf(each.name), each.content)
		if err == nil || try == tries || !pause(ctx, tryAfter*time.Duration(try)) {
			return err
		}
	}
}

// enqueue queues envelopes that are in the store. If there are too many, the oldest are dropped.
func (e *endpoint) enqueue(ctx context.Context, list ...envelope) {
	over := e.queue.add(list...)
	for _, each := range over {
		e.count(e.dropped, tooMany)
		e.delete(ctx, each.name)
	}
	if len(over) > 0 {
		e.complain(fmt.Errorf("%d or more events wait for the endpoint; the oldest are dropped", mostWaiting))
	}
}

func (e *endpoint) pathOf(name string) string { return path.Join(folderOf(e.Name), name) }

// delete removes an envelope from the store. If the store does not delete it now, it is remembered
// and not sent again.
func (e *endpoint) delete(ctx context.Context, name string) {
	err := e.driver.Delete(ctx, e.pathOf(name))
	gone := err == nil || layout.IsMissing(err)
	e.mu.Lock()
	defer e.mu.Unlock()
	if gone {
		delete(e.done, name)
	} else {
		e.done[name] = true
	}
}

// collect finds events in the store: all of them at the start, and later those that another server
// left.
func (e *endpoint) collect(ctx context.Context) {
	for first := true; ; first = false {
		if err := e.look(ctx, first); err != nil && ctx.Err() == nil {
			e.log.WithError(err).Warn("the store does not say which events wait for the endpoint")
		}
		if !pause(ctx, leftAfter) {
			return
		}
	}
}

func (e *endpoint) look(ctx context.Context, all bool) error {
	names, err := layout.Names(ctx, e.driver, folderOf(e.Name))
	if err != nil {
		return err
	}
	var found []envelope
	for _, name := range names {
		at, err := timeOf(name)
		if err == nil && strings.Contains(name[len(timeOfName):], ".") {
			// The driver writes a file under a temporary name first. If a server was killed before the
			// rename, its client had no response yet, so nothing was promised.
			if time.Since(at) > mostAge {
				_ = e.driver.Delete(ctx, e.pathOf(name))
			}
			continue
		}
		if err != nil || !all && time.Since(at) < leftAfter {
			continue
		}
		e.mu.Lock()
		done := e.done[name]
		e.mu.Unlock()
		if done {
			e.delete(ctx, name)
			continue
		}
		found = append(found, envelope{name: name})
	}
	e.enqueue(ctx, found...)
	return nil
}
