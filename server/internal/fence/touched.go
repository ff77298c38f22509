package fence

import (
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// touched are the blobs and manifests that clients count on, since they were told that
// they exist, until a manifest refers to them.
type touched struct {
	remember time.Duration

	mutex sync.Mutex
	// until when, by repository.
	until map[digest.Digest]map[string]time.Time
	// deleting has a channel for what is being deleted, closed when that is done.
	deleting map[digest.Digest]chan struct{}
	swept    time.Time
}

func newTouched(remember time.Duration) *touched {
	return &touched{
		remember: remember,
		until:    map[digest.Digest]map[string]time.Time{},
		deleting: map[digest.Digest]chan struct{}{},
		swept:    time.Now(),
	}
}

// touch keeps it from being deleted; a deletion that has begun is waited for. What it
// returns takes that back.
func (t *touched) touch(repository string, d digest.Digest) (untouch func()) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.await(d)
	t.expire(time.Now())
	before, again := t.until[d][repository]
	if t.until[d] == nil {
		t.until[d] = map[string]time.Time{}
	}
	t.until[d][repository] = time.Now().Add(t.remember)
	return func() {
		if !again || time.Now().After(before) {
			t.settle(repository, d)
		}
	}
}

// await is called with the lock held, and returns with it held and no deletion of d under way.
func (t *touched) await(d digest.Digest) {
	for t.deleting[d] != nil {
		done := t.deleting[d]
		t.mutex.Unlock()
		<-done
		t.mutex.Lock()
	}
}

// settle says that a manifest of the repository refers to it now.
func (t *touched) settle(repository string, ds ...digest.Digest) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, d := range ds {
		delete(t.until[d], repository)
		if len(t.until[d]) == 0 {
			delete(t.until, d)
		}
	}
}

// expire bounds what clients that never push a manifest leave here.
func (t *touched) expire(now time.Time) {
	if now.Sub(t.swept) < t.remember/10 {
		return
	}
	t.swept = now
	for d, repositories := range t.until {
		for repository, until := range repositories {
			if until.Before(now) {
				delete(repositories, repository)
			}
		}
		if len(repositories) == 0 {
			delete(t.until, d)
		}
	}
}

// delete does so unless somebody counts on it, and says whether it did.
func (t *touched) delete(d digest.Digest, do func() error) (bool, error) {
	t.mutex.Lock()
	t.await(d)
	if t.counted(d) {
		t.mutex.Unlock()
		return false, nil
	}
	done := make(chan struct{})
	t.deleting[d] = done
	t.mutex.Unlock()
	defer func() {
		t.mutex.Lock()
		delete(t.deleting, d)
		t.mutex.Unlock()
		close(done)
	}()
	err := do()
	return err == nil, err
}

// has says whether somebody counts on it.
func (t *touched) has(d digest.Digest) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.counted(d)
}

// counted is called with the lock held.
func (t *touched) counted(d digest.Digest) bool {
	for _, until := range t.until[d] {
		if until.After(time.Now()) {
			return true
		}
	}
	return false
}

// inUse says whether somebody counts on anything in a repository.
func (t *touched) inUse(repository string) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, repositories := range t.until {
		if until, ok := repositories[repository]; ok && until.After(time.Now()) {
			return true
		}
	}
	return false
}
