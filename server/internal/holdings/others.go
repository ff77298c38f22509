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
	// remembered is how long the store has what a server told. Who was away for longer counts all
	// anew, at its start or by the hour.
	remembered = 10 * time.Minute
	// patience is for the store.
	patience = 15 * time.Second
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
	// heard are the objects of the last listing; only who listens uses it.
	heard map[string]bool
}

func othersOf(store storagedriver.StorageDriver) *others {
	return &others{store: store, self: rand.Text(), pace: pace, news: map[string]bool{}, heard: map[string]bool{}}
}

func (o *others) add(name string) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.news[name] = true
}

// tell has the news in the store, where what is old goes. What could not be told is told later.
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
	if err := o.store.PutContent(ctx, path.Join(layout.Changes, name), []byte(content)); err != nil {
		for name := range news {
			o.add(name)
		}
		return err
	}
	all, err := layout.Names(ctx, o.store, layout.Changes)
	for _, each := range all {
		if told, ok := toldAt(each); ok && now.Sub(told) > remembered && err == nil {
			err = layout.Remove(ctx, o.store, path.Join(layout.Changes, each))
		}
	}
	return err
}

func toldAt(name string) (time.Time, bool) {
	at, _, _ := strings.Cut(name, "-")
	milliseconds, err := strconv.ParseInt(at, 10, 64)
	return time.UnixMilli(milliseconds), err == nil
}

// begin takes what was told so far for heard.
func (o *others) begin(ctx context.Context) error {
	all, err := layout.Names(ctx, o.store, layout.Changes)
	for _, each := range all {
		o.heard[each] = true
	}
	return err
}

// listen calls heard with each name that another server told since the last time.
func (o *others) listen(ctx context.Context, heard func(name string)) error {
	all, err := layout.Names(ctx, o.store, layout.Changes)
	if err != nil {
		return err
	}
	now := map[string]bool{}
	for _, each := range all {
		if !o.heard[each] && !strings.HasSuffix(each, "-"+o.self) {
			content, err := o.store.GetContent(ctx, path.Join(layout.Changes, each))
			if err != nil && !layout.IsMissing(err) {
				return err
			}
			for name := range strings.Lines(string(content)) {
				heard(strings.TrimSuffix(name, "\n"))
			}
		}
		now[each] = true
	}
	o.heard = now
	return nil
}

// Share has this server and the others of its store tell each other what was written to. To be called
// before Run.
func (h *Holdings) Share() *Holdings {
	h.others = othersOf(h.driver)
	return h
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
			h.inTime(ctx, func(ctx context.Context) error { return h.others.tell(ctx, time.Now()) })
			h.inTime(ctx, func(ctx context.Context) error { return h.others.listen(ctx, h.heard) })
		}
	}
}

// inTime asks the store, and does without while it is away.
func (h *Holdings) inTime(ctx context.Context, ask func(context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
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
