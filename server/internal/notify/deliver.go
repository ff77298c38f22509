package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/distribution/distribution/v3/notifications"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/config"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/wait"
)

const (
	shortestPause = time.Second
	longestPause  = 5 * time.Minute
	// mostAge is how long an endpoint may be unavailable before it loses events.
	mostAge = 7 * 24 * time.Hour
	// complaints is the shortest time between two lines in the log that say that an endpoint takes no events.
	complaints = 10 * time.Minute
)

// endpoint sends the events that one endpoint of the configuration wants.
type endpoint struct {
	config.Notification
	driver storagedriver.StorageDriver
	log    *logrus.Entry
	client *http.Client
	queue  *queue

	mu sync.Mutex
	// done are envelopes that are no longer needed but are still in the store.
	done       map[string]bool
	complained time.Time
	sent       map[string]int64
	dropped    map[string]int64
}

func newEndpoint(c config.Notification, driver storagedriver.StorageDriver, log *logrus.Entry) *endpoint {
	return &endpoint{
		Notification: c,
		driver:       driver,
		log:          log.WithField("endpoint", c.Name),
		client:       newClient(c.CA),
		queue:        newQueue(),
		done:         map[string]bool{},
		// Prometheus would not see the first event in a series that did not exist before.
		sent:    map[string]int64{taken: 0, failed: 0, refused: 0},
		dropped: map[string]int64{old: 0, tooMany: 0, unkept: 0, refused: 0},
	}
}

// deliver sends one envelope after the other until ctx ends.
func (e *endpoint) deliver(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		next, ok := e.queue.first()
		if !ok {
			select {
			case <-ctx.Done():
			case <-e.queue.ready:
			}
			continue
		}
		err := e.handle(ctx, next, failures > 0)
		if err == nil {
			failures = 0
			e.queue.remove(next.name)
			continue
		}
		e.complain(err)
		pause(ctx, min(longestPause, shortestPause<<min(failures, 20)))
		failures++
	}
}

// handle returns nil if there is nothing more to do about an envelope. A request under way is finished even if
// the server stops, so that the endpoint does not get the envelope again.
func (e *endpoint) handle(running context.Context, each envelope, again bool) error {
	ctx := context.WithoutCancel(running)
	at, err := timeOf(each.name)
	if err == nil && time.Since(at) > mostAge {
		e.drop(running, each, old, "the endpoint took no events for too long")
		return nil
	}
	// Another server may have sent it meanwhile.
	if again || each.content == nil || err == nil && time.Since(at) > leftAfter {
		ctx, cancel := context.WithTimeout(ctx, patienceWithStore)
		defer cancel()
		content, err := e.driver.GetContent(ctx, e.pathOf(each.name))
		if layout.IsMissing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		each.content = content
	}
	err = e.post(ctx, each.content)
	switch {
	case err == nil:
		e.count(e.sent, taken)
		e.forgive()
		e.end(running, each)
	case errors.As(err, new(refusal)):
		e.count(e.sent, refused)
		e.drop(running, each, refused, err.Error())
	default:
		e.count(e.sent, failed)
		return err
	}
	return nil
}

// refusal is the status of an answer that would be the same if the envelope were sent again.
type refusal int

func (r refusal) Error() string {
	return fmt.Sprintf("the endpoint answers %d, and would do so again", int(r))
}

// post sends an envelope. Errors contain neither the URL, which may have a secret in it, nor
// the text of the endpoint's answer.
func (e *endpoint) post(ctx context.Context, content []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(content))
	if err != nil {
		return errors.New("the endpoint's URL can't be asked")
	}
	request.Header.Set("Content-Type", notifications.EventsMediaType)
	for name, value := range e.Headers {
		request.Header.Set(name, value)
	}
	answer, err := e.client.Do(request)
	if err != nil {
		return withoutWords(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols {
		// The answer only has to be read to its end. After 101 there would be no end to it.
		_, _ = io.CopyN(io.Discard, answer.Body, mostOfAnswer)
	}
	switch status := answer.StatusCode; {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return fmt.Errorf("the endpoint answers %d; give the URL that it leads to, no redirect is followed", status)
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge,
		status == http.StatusUnsupportedMediaType, status == http.StatusUnprocessableEntity:
		return refusal(status)
	default:
		return fmt.Errorf("the endpoint answers %d", status)
	}
}

// withoutWords says what is wrong with a connection. It leaves out anything that may repeat the
// endpoint's answer or its URL.
func withoutWords(err error) error {
	var connection *net.OpError
	var certificate *tls.CertificateVerificationError
	var waited net.Error
	switch {
	case errors.As(err, &connection):
		return connection
	case errors.As(err, &certificate):
		return certificate
	case errors.As(err, &waited) && waited.Timeout():
		return fmt.Errorf("the endpoint gives no answer within %s", patience)
	case errors.Is(err, http.ErrSchemeMismatch):
		return http.ErrSchemeMismatch
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return errors.New("the endpoint gives no answer that can be understood")
	}
}

// end deletes an envelope. A server that stops waits for the deletion no longer than patienceWithStore.
func (e *endpoint) end(running context.Context, each envelope) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(running))
	defer cancel()
	defer context.AfterFunc(running, func() {
		_ = wait.For(ctx, patienceWithStore)
		cancel()
	})()
	e.delete(ctx, each.name)
}

func (e *endpoint) drop(running context.Context, each envelope, reason, why string) {
	e.count(e.dropped, reason)
	e.log.WithField("events", each.name).Errorf("events are dropped: %s", why)
	e.end(running, each)
}

// complain logs from time to time why an endpoint does not get its events.
func (e *endpoint) complain(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := time.Now(); now.Sub(e.complained) >= complaints {
		e.complained = now
		e.log.WithError(err).WithField("waiting", e.queue.length()).Warn("the endpoint does not get its events; they are kept, and sent later")
	}
}

// forgive is called when an endpoint takes events: the next failure is then worth logging at once.
func (e *endpoint) forgive() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.complained = time.Time{}
}

// pause waits for a time between half of a duration and all of it, so that servers do not all ask
// at once. It returns false if ctx ended first.
func pause(ctx context.Context, most time.Duration) bool {
	return wait.For(ctx, most/2+rand.N(most/2)) == nil
}
