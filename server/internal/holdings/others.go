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
	// remembered is how long a server leaves what it heard in the store. It goes by its own clock, because
	// that of the server that told may be hours off. A server that was away for longer learns of it when it
	// counts everything anew, at its start or every hour.
	remembered = 10 * time.Minute
	// patience is how long the store may take to answer, and lastPatience how long at the end.
	patience     = 15 * time.Second
	lastPatience = 2 * time.Second
	// everything is told in place of a name after a collection. It can't be the name of a repository.
	everything = "*"
)

// others are the other servers of the same store. What a server has to tell is in an object there for a while,
// with the name of a repository in each line. The name of the object says when it was written, and by which
// server.
type others struct {
	store storagedriver.StorageDriver
	// self is different for each process.
	self string
	pace time.Duration

	mutex sync.Mutex
	// news are the names that this server has not told yet.
	news map[string]bool
	// heard are the objects of the last listing, and since when they have been known. It has no lock: after
	// begin, only the goroutine of keepInTouch uses it.
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

// tell writes the news to the store. What can't be told now is told later.
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

// begin notes all that was told so far as heard.
func (o *others) begin(ctx context.Context) error {
	return o.listen(ctx, time.Now(), nil)
}

// listen calls heard with each name that another server has told since the last time. It deletes old objects.
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

// Share has this server and the others of its store tell each other what was written to. It must be called
// before Run.
func (h *Holdings) Share() *Holdings {
	h.others = othersOf(h.driver)
	return h
}

// TellRest tells other servers of the last writes, once there are no more clients.
func (h *Holdings) TellRest() {
	if h.others != nil {
		h.inTime(context.Background(), lastPatience, func(ctx context.Context) error { return h.others.tell(ctx, time.Now()) })
	}
}

// keepInTouch tells and listens until ctx ends. It lists the store once in a while even if there is no other
// server.
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

// inTime asks the store within a limit, and does without while the store is away.
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
