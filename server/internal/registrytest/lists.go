package registrytest

import (
	"context"
	"path"
	"sync"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// Lists counts the listings of folders that clients fill: those of tags and of links.
type Lists struct {
	storagedriver.StorageDriver

	mutex             sync.Mutex
	all, inside, most int
}

// Count returns how many listings there were, and the most at once.
func (l *Lists) Count() (all, most int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.all, l.most
}

func (l *Lists) List(ctx context.Context, folder string) ([]string, error) {
	if path.Base(folder) != "sha256" && !layout.IsTags(folder) {
		return l.StorageDriver.List(ctx, folder)
	}
	l.note(1)
	defer l.note(-1)
	// Long enough for all other requests that may list at the same time.
	time.Sleep(10 * time.Millisecond)
	return l.StorageDriver.List(ctx, folder)
}

func (l *Lists) note(more int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.inside += more
	l.all += max(0, more)
	l.most = max(l.most, l.inside)
}
