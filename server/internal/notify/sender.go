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
	// patienceWithStore is how long a push waits for its event to be kept, and a server that stops for
	// one that was sent to be deleted.
	patienceWithStore = 5 * time.Second
	// leftAfter is how old an event has to be for another server than the one that wrote it to
	// see to it.
	leftAfter = time.Minute
	// tries are how often an event is written that the store does not take, as it is busy for a moment.
	tries    = 3
	tryAfter = 200 * time.Millisecond
)

// Sender tells the endpoints of a server.
type Sender struct {
	source    source
	driver    storagedriver.StorageDriver
	log       *logrus.Entry
	endpoints []*endpoint
}

// New is for a server with these endpoints and this section http.
func New(endpoints []config.Notification, driver storagedriver.StorageDriver, http configuration.HTTP, log *logrus.Entry) *Sender {
	s := &Sender{source: sourceOf(http), driver: driver, log: log}
	for _, each := range endpoints {
		s.endpoints = append(s.endpoints, newEndpoint(each, driver, log))
	}
	return s
}

// Observe keeps the events of a write for those who want them.
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

// HoldBack has no event be sent of what happens from now on, until it is released. They are kept
// all the same.
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

// Run sends what there is, and what comes, until ctx ends.
func (s *Sender) Run(ctx context.Context) {
	var group sync.WaitGroup
	group.Go(func() { s.forget(ctx) })
	for _, e := range s.endpoints {
		group.Go(func() { e.deliver(ctx) })
		group.Go(func() { e.collect(ctx) })
	}
	group.Wait()
}

// forget deletes what waits for endpoints that are no longer in the configuration.
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

// keep writes envelopes to the store, and has them sent.
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

// enqueue has envelopes sent that are in the store. Where there are too many the oldest go.
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

// delete takes an envelope out of the store. What the store does not delete now is remembered,
// so that it is not sent again.
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

// collect finds what is in the store: all of it at the start, and what another server left
// from then on.
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
			// The driver writes a file under another name first. What a killed server left of one
			// was never promised to anybody.
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
