package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

const (
	folder = layout.Sessions
	// mostEnded is how many sessions one server remembers by itself, in 2 MB at most.
	mostEnded = 10_000
	// mostOfUser is how many of one user's the store remembers in one period. Who ends more than that
	// ends all that the user has.
	mostOfUser = 1_000
	// patience is for the store: each page asks it, and nobody waits for it to log out.
	patience = 2 * time.Second
	// mostOwed is how many sessions the store is still told of that could not be at once, and retry the
	// time between two tries.
	mostOwed = 1_000
	retry    = 10 * time.Second
)

// ended are the sessions that their users ended: objects in the store, which other servers
// see as well, in a folder for each period in which the sessions could still be used. The server that
// was told remembers them by itself too, as it may not be allowed to write.
type ended struct {
	store   storagedriver.StorageDriver
	answers func(context.Context) bool
	retry   time.Duration

	mutex sync.Mutex
	here  *simplelru.LRU[string, struct{}]
	// owed are those that the store could not be told of so far.
	owed []claims
}

func newEnded(store storagedriver.StorageDriver) *ended {
	// It fails for sizes below 1 only.
	here, _ := simplelru.NewLRU[string, struct{}](mostEnded, nil)
	return &ended{store: store, answers: func(context.Context) bool { return true }, retry: retry, here: here}
}

// nameOf is of the object of a session, and ofUser of that of all that a user has. They do not say more
// to who can list the store.
func nameOf(said claims) string { return ofUser(said.User) + "-" + hash(said.ID) }

func ofUser(user string) string { return hash(user) }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// periodOf is as long as a session lasts without its use: one that has ended is of no use any more when
// the next period is over.
func periodOf(at time.Time) int64 { return at.Unix() / int64(idle/time.Second) }

func in(period int64, name string) string {
	return path.Join(folder, strconv.FormatInt(period, 10), name)
}

// add fails where other servers can't be told. They are as soon as the store can be written.
func (e *ended) add(ctx context.Context, said claims, now time.Time) error {
	e.mutex.Lock()
	e.here.Add(nameOf(said), struct{}{})
	e.mutex.Unlock()
	err := e.tell(ctx, said, now)
	if err != nil {
		e.owe(said)
	}
	return err
}

func (e *ended) owe(said claims) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if len(e.owed) == mostOwed {
		return
	}
	if e.owed = append(e.owed, said); len(e.owed) == 1 {
		go e.settle()
	}
}

// settle ends when nothing is owed. What is owed first stays that while the store is told of it.
func (e *ended) settle() {
	for left := true; left; {
		time.Sleep(e.retry)
		for left && e.settled() {
			e.mutex.Lock()
			e.owed = e.owed[1:]
			left = len(e.owed) > 0
			e.mutex.Unlock()
		}
	}
}

// settled is for what is owed first. A session that would have ended by now is worth nothing anyway.
func (e *ended) settled() bool {
	e.mutex.Lock()
	first := e.owed[0]
	e.mutex.Unlock()
	ctx, now := context.Background(), time.Now()
	return !now.Before(first.longest()) || e.answers(ctx) && e.tell(ctx, first, now) == nil
}

func (e *ended) tell(ctx context.Context, said claims, now time.Time) error {
	name, content := nameOf(said), "ended"
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	period := periodOf(now)
	names, err := layout.Names(ctx, e.store, in(period, ""))
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(each string) bool { return !strings.HasPrefix(each, ofUser(said.User)) })
	if len(names) >= mostOfUser {
		name, content = ofUser(said.User), strconv.FormatInt(now.Unix(), 10)
	}
	// In the one before for servers whose clock is behind.
	for _, each := range []int64{period, period + 1, period - 1} {
		if err := e.store.PutContent(ctx, in(each, name), []byte(content)); err != nil {
			return err
		}
	}
	return e.clear(ctx, period-1)
}

// clear takes away what is of no use any more.
func (e *ended) clear(ctx context.Context, first int64) error {
	names, err := layout.Names(ctx, e.store, folder)
	for _, each := range names {
		if period, bad := strconv.ParseInt(each, 10, 64); err == nil && (bad != nil || period < first) {
			err = layout.Remove(ctx, e.store, path.Join(folder, each))
		}
	}
	return err
}

// has believes a session where the store does not answer: nothing can be seen then.
func (e *ended) has(ctx context.Context, said claims, now time.Time) bool {
	name := nameOf(said)
	e.mutex.Lock()
	here := e.here.Contains(name)
	e.mutex.Unlock()
	if here || !e.answers(ctx) {
		return here
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	period := periodOf(now)
	if _, err := e.store.Stat(ctx, in(period, name)); err == nil {
		return true
	}
	content, err := e.store.GetContent(ctx, in(period, ofUser(said.User)))
	if err != nil {
		return false
	}
	at, err := strconv.ParseInt(string(content), 10, 64)
	return err == nil && said.Began <= at
}
