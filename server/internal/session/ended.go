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
)

// ended are the sessions that their users ended: objects in the store, which other servers
// see as well, in a folder for each period in which the sessions could still be used. The server that
// was told remembers them by itself too, as it may not be allowed to write.
type ended struct {
	store   storagedriver.StorageDriver
	answers func(context.Context) bool

	mutex sync.Mutex
	here  *simplelru.LRU[string, struct{}]
}

func newEnded(store storagedriver.StorageDriver) *ended {
	// It fails for sizes below 1 only.
	here, _ := simplelru.NewLRU[string, struct{}](mostEnded, nil)
	return &ended{store: store, answers: func(context.Context) bool { return true }, here: here}
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

// add fails where other servers can't be told.
func (e *ended) add(ctx context.Context, said claims, now time.Time) error {
	name, content := nameOf(said), "ended"
	e.mutex.Lock()
	e.here.Add(name, struct{}{})
	e.mutex.Unlock()
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
