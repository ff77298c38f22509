package holdings

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

const (
	// pace is how often servers of one store tell each other what was written to.
	pace = 30 * time.Second
	// remembered is for how long a server leaves what it heard in the store, by its own clock: that of who
	// told may be hours away. Who was away for longer counts all anew, at its start or by the hour.
	remembered = 10 * time.Minute
	// patience is for the store, and lastPatience at the end.
	patience     = 15 * time.Second
	lastPatience = 2 * time.Second
	// everything is told in place of a name after a collection; no repository has that one.
	everything = "*"
)

// others are the servers of the same store. What a server has to tell is an object there for a while, with a
// name in each line; its own name is of when that was, and of who tells.
type others struct {
	store storagedriver.StorageDriver
	// self is another one for each process.
	self string
	pace time.Duration

	mutex sync.Mutex
	// news are what this server has not told yet.
	news map[string]bool
	// heard are the objects of the last listing, and since when they are known. It has no lock: only the
	// goroutine of keepInTouch uses it, once begin has.
	heard map[string]time.Time
}

func othersOf(store storagedriver.StorageDriver) *others {
	return &others{store: store, self: rand.Text(), pace: pace, news: map[string]bool{}, heard: map[string]time.Time{}}
}

func (o *others) add(name string) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.news[name] = true
}

// tell has the news in the store. What could not be told is told later.
func (o *others) tell(ctx context.Context, now time.Time) error {
	o.mutex.Lock()
	news := o.news
	o.news = map[string]bool{}
	o.mutex.Unlock()
	if len(news) == 0 {
		return nil
	}
	content := strings.Join(slices.Sorted(maps.Keys(news)), "\n")
	name := fmt.Sprintf("%d-%s", now.UnixMilli(), o.self)
	err := o.store.PutContent(ctx, path.Join(layout.Changes, name), []byte(content))
	if err != nil {
		for name := range news {
			o.add(name)
		}
	}
	return err
}

func isTold(name string) bool {
	at, _, _ := strings.Cut(name, "-")
	_, err := strconv.ParseInt(at, 10, 64)
	return err == nil
}

// begin takes what was told so far for heard.
func (o *others) begin(ctx context.Context) error {
	return o.listen(ctx, time.Now(), nil)
}

// listen calls heard with each name that another server told since the last time. What is old goes.
func (o *others) listen(ctx context.Context, now time.Time, heard func(name string)) error {
	all, err := layout.Names(ctx, o.store, layout.Changes)
	if err != nil {
		return err
	}
	known := map[string]time.Time{}
	for _, each := range all {
		since, ok := o.heard[each]
		if !ok {
			since = now
		}
		if heard != nil && !ok && !strings.HasSuffix(each, "-"+o.self) {
			content, err := o.store.GetContent(ctx, path.Join(layout.Changes, each))
			if err != nil && !layout.IsMissing(err) {
				return err
			}
			for name := range strings.Lines(string(content)) {
				heard(strings.TrimSuffix(name, "\n"))
			}
		}
		known[each] = since
	}
	o.heard = known
	for each, since := range known {
		if err == nil && now.Sub(since) > remembered && isTold(each) {
			err = layout.Remove(ctx, o.store, path.Join(layout.Changes, each))
		}
	}
	return err
}

// Share has this server and the others of its store tell each other what was written to. To be called
// before Run.
func (h *Holdings) Share() *Holdings {
	h.others = othersOf(h.driver)
	return h
}

// TellRest has other servers know of the last writes, once there are no more clients.
func (h *Holdings) TellRest() {
	if h.others != nil {
		h.inTime(context.Background(), lastPatience, func(ctx context.Context) error { return h.others.tell(ctx, time.Now()) })
	}
}

// keepInTouch goes on until ctx ends. The store is listed once in a while, also when nobody is there.
func (h *Holdings) keepInTouch(ctx context.Context) {
	ticker := time.NewTicker(h.others.pace)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.inTime(ctx, patience, func(ctx context.Context) error { return h.others.tell(ctx, time.Now()) })
			h.inTime(ctx, patience, func(ctx context.Context) error { return h.others.listen(ctx, time.Now(), h.heard) })
		}
	}
}

// inTime asks the store, and does without while it is away.
func (h *Holdings) inTime(ctx context.Context, limit time.Duration, ask func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := ask(ctx); err != nil {
		h.log.WithError(err).Debug("servers of the store could not tell each other what was written to")
	}
}

func (h *Holdings) heard(name string) {
	switch {
	case name == everything:
		wake(h.stale)
	case layout.IsRepositoryName(name):
		h.change(name)
	}
}
