// Package touched keeps what clients count on from being deleted.
package touched

import (
	"context"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// Set are the blobs and manifests that clients count on: while they ask for them, and since they
// were told that they exist, until a manifest refers to them.
type Set struct {
	remember time.Duration

	mutex sync.Mutex
	// counts are by repository.
	counts map[digest.Digest]map[string]count
	// deleting has a channel for what is being deleted, closed when that is done.
	deleting map[digest.Digest]chan struct{}
	swept    time.Time
}

// count is how clients count on something in one repository.
type count struct {
	// asking are the requests under way, however long they take.
	asking int
	// until is how long those that were answered may come back.
	until time.Time
}

func (c count) stands(now time.Time) bool { return c.asking > 0 || c.until.After(now) }

// New remembers for as long what clients were told; 0 for while they ask alone.
func New(remember time.Duration) *Set {
	return &Set{
		remember: remember,
		counts:   map[digest.Digest]map[string]count{},
		deleting: map[digest.Digest]chan struct{}{},
		swept:    time.Now(),
	}
}

// Touch keeps it from being deleted while a request is under way; a deletion that has begun
// is waited for, until ctx ends. What it returns is called with whether the client was told
// that it exists, and that it may come back.
func (t *Set) Touch(ctx context.Context, repository string, d digest.Digest) (answered func(exists bool), err error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if err := t.await(ctx, d); err != nil {
		return nil, err
	}
	now := time.Now()
	t.expire(now)
	t.change(repository, d, now, func(c *count) { c.asking++ })
	return func(exists bool) {
		t.mutex.Lock()
		defer t.mutex.Unlock()
		now := time.Now()
		t.change(repository, d, now, func(c *count) {
			c.asking--
			if exists {
				c.until = now.Add(t.remember)
			}
		})
	}, nil
}

// change is called with the lock held.
func (t *Set) change(repository string, d digest.Digest, now time.Time, do func(*count)) {
	c := t.counts[d][repository]
	do(&c)
	switch {
	case !c.stands(now):
		delete(t.counts[d], repository)
		if len(t.counts[d]) == 0 {
			delete(t.counts, d)
		}
		return
	case t.counts[d] == nil:
		t.counts[d] = map[string]count{}
	}
	t.counts[d][repository] = c
}

// await is called with the lock held, and returns with it held: with no deletion of d under way,
// or when ctx ends.
func (t *Set) await(ctx context.Context, d digest.Digest) error {
	for t.deleting[d] != nil {
		done := t.deleting[d]
		t.mutex.Unlock()
		select {
		case <-done:
		case <-ctx.Done():
		}
		t.mutex.Lock()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// Settle says that a manifest of the repository refers to it now.
func (t *Set) Settle(repository string, ds ...digest.Digest) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	for _, d := range ds {
		if _, ok := t.counts[d][repository]; ok {
			t.change(repository, d, time.Now(), func(c *count) { c.until = time.Time{} })
		}
	}
}

// expire bounds what clients that never push a manifest leave here.
func (t *Set) expire(now time.Time) {
	if t.remember == 0 || now.Sub(t.swept) < t.remember/10 {
		return
	}
	t.swept = now
	for d, repositories := range t.counts {
		for repository := range repositories {
			t.change(repository, d, now, func(*count) {})
		}
	}
}

// Delete does so unless somebody counts on it, and says whether it did.
func (t *Set) Delete(d digest.Digest, do func() error) (bool, error) {
	t.mutex.Lock()
	// Another deletion ends by itself.
	_ = t.await(context.Background(), d)
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

// Has says whether somebody counts on it.
func (t *Set) Has(d digest.Digest) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.counted(d)
}

// counted is called with the lock held.
func (t *Set) counted(d digest.Digest) bool {
	now := time.Now()
	for _, c := range t.counts[d] {
		if c.stands(now) {
			return true
		}
	}
	return false
}

// InUse says whether somebody counts on anything in a repository.
func (t *Set) InUse(repository string) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	now := time.Now()
	for _, repositories := range t.counts {
		if repositories[repository].stands(now) {
			return true
		}
	}
	return false
}
