package session

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	// mostOfUser is how many of one user's the store remembers: nobody fills it by logging out.
	mostOfUser = 100
	// patience is for the store: each page asks it, and nobody waits for it to log out.
	patience = 2 * time.Second
)

// ended are the sessions that their users ended: objects in the store, which other servers
// see as well, until the sessions would have been over. The server that was told remembers them
// by itself too, as it may not be allowed to write.
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

// nameOf is of the object of a session: whose it was, and when it would be over. It does not say
// more to who can list the store.
func nameOf(said claims) string {
	return fmt.Sprintf("%s%d-%s", ofUser(said.User), time.Unix(said.Began, 0).Add(longest).Unix(), hash(said.ID))
}

// ofUser begins the names of one user's sessions.
func ofUser(user string) string { return hash(user) + "-" }

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// over is when the session of a name would be over.
func over(name string) (time.Time, bool) {
	_, rest, _ := strings.Cut(name, "-")
	until, _, _ := strings.Cut(rest, "-")
	seconds, err := strconv.ParseInt(until, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

// add fails where other servers can't be told.
func (e *ended) add(ctx context.Context, said claims, now time.Time) error {
	name := nameOf(said)
	e.mutex.Lock()
	e.here.Add(name, struct{}{})
	e.mutex.Unlock()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := e.store.PutContent(ctx, path.Join(folder, name), []byte("ended")); err != nil {
		return err
	}
	names, err := layout.Names(ctx, e.store, folder)
	if err != nil {
		return err
	}
	var own []string
	for _, each := range names {
		switch at, ok := over(each); {
		case ok && !at.After(now):
			err = e.forget(ctx, each)
		case ok && strings.HasPrefix(each, ofUser(said.User)):
			own = append(own, each)
		}
		if err != nil {
			return err
		}
	}
	slices.Sort(own)
	for _, each := range own[:max(0, len(own)-mostOfUser)] {
		if err := e.forget(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

func (e *ended) forget(ctx context.Context, name string) error {
	return layout.Remove(ctx, e.store, path.Join(folder, name))
}

// has believes a session where the store does not answer: nothing can be seen then.
func (e *ended) has(ctx context.Context, said claims) bool {
	name := nameOf(said)
	e.mutex.Lock()
	here := e.here.Contains(name)
	e.mutex.Unlock()
	if here || !e.answers(ctx) {
		return here
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := e.store.Stat(ctx, path.Join(folder, name))
	return err == nil
}
