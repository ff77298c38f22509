package images

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/tagorder"
)

// Tag is a tag and what it names.
type Tag struct {
	Name   string
	Digest digest.Digest
	Pushed time.Time
}

// Names are the tags of a repository: latest first, then the highest version first.
func (r *Reader) Names(ctx context.Context, repository string) ([]string, error) {
	names, ok := r.tags.get(repository, time.Now())
	if ok {
		return names, nil
	}
	err := r.turns.InTurn(ctx, layout.RepositoryPath(repository, layout.Tags), func() (_ int, err error) {
		began := time.Now()
		// The tags may have been listed while this call waited.
		if names, ok = r.tags.get(repository, began); ok {
			return len(names), nil
		}
		names, err = layout.TagNames(ctx, r.lists, repository)
		if err == nil {
			slices.SortFunc(names, tagorder.Compare)
			r.tags.add(repository, names, began)
		}
		return len(names), err
	})
	return names, err
}

// Forget drops the list of a repository's tags, so that they are listed again.
func (r *Reader) Forget(repository string) { r.tags.forget(repository, time.Now()) }

// Tags returns what tags name now. Those that are gone or name nothing have no digest.
func (r *Reader) Tags(ctx context.Context, repository string, names []string) ([]Tag, error) {
	tags := make([]Tag, len(names))
	err := each(ctx, len(names), func(ctx context.Context, i int) (err error) {
		tags[i], err = r.tag(ctx, repository, names[i])
		if errors.Is(err, ErrMissing) {
			err = nil
		}
		return err
	})
	return tags, err
}

// Tag returns ErrMissing if there is no such tag, and ErrDamaged for one that names nothing.
func (r *Reader) Tag(ctx context.Context, repository, name string) (Tag, error) {
	tag, err := r.tag(ctx, repository, name)
	if err == nil && tag.Digest == "" || errors.Is(err, ErrMissing) {
		// A tag is listed if its folder exists.
		if _, err = r.stat(ctx, layout.RepositoryPath(repository, layout.Tags, name)); err == nil {
			err = ErrDamaged
		}
	}
	return tag, err
}

// TagsOf returns those of the given tags that name an image.
func (r *Reader) TagsOf(ctx context.Context, repository string, d digest.Digest, names []string) ([]string, error) {
	tags, err := r.named(ctx, repository, names)
	var found []string
	for _, tag := range tags {
		if tag.Digest == d {
			found = append(found, tag.Name)
		}
	}
	return found, err
}

// named are tags without the time of their push, which costs more than what they name.
func (r *Reader) named(ctx context.Context, repository string, names []string) ([]Tag, error) {
	tags := make([]Tag, len(names))
	err := each(ctx, len(names), func(ctx context.Context, i int) (err error) {
		tags[i].Name = names[i]
		if tags[i].Digest, err = r.digestOf(ctx, repository, names[i]); errors.Is(err, ErrMissing) {
			err = nil
		}
		return err
	})
	return tags, err
}

// digestOf is what a tag names, empty if it names nothing.
func (r *Reader) digestOf(ctx context.Context, repository, name string) (digest.Digest, error) {
	content, err := r.get(ctx, layout.TagPath(repository, name))
	if d := digest.Digest(content); err == nil && d.Validate() == nil {
		return d, nil
	}
	return "", err
}

func (r *Reader) tag(ctx context.Context, repository, name string) (Tag, error) {
	tag := Tag{Name: name}
	var err error
	if tag.Digest, err = r.digestOf(ctx, repository, name); err != nil {
		return tag, err
	}
	info, err := r.stat(ctx, layout.TagPath(repository, name))
	if err != nil {
		return tag, err
	}
	tag.Pushed = info.ModTime()
	if tag.Digest != "" {
		err = r.ask(ctx, func() error {
			tag.Pushed, err = layout.FindLastPush(ctx, r.driver, repository, name, tag.Digest, tag.Pushed)
			return err
		})
	}
	return tag, err
}

const (
	// brief is how long a list of tags is believed: other servers may write as well.
	brief = 15 * time.Second
	// listed is the number of tags that are kept for all repositories together.
	listed = 50_000
)

// listings are tags as they were listed lately.
type listings struct {
	mutex sync.Mutex
	lists *simplelru.LRU[string, listing]
	// names is the number of tags in all lists.
	names int
	// changed is when this server last heard of a change to any tag.
	changed time.Time
}

type listing struct {
	names []string
	at    time.Time
}

func newListings() *listings {
	l := &listings{}
	// NewLRU fails only for sizes below 1.
	l.lists, _ = simplelru.NewLRU(listed, func(_ string, gone listing) { l.names -= len(gone.names) })
	return l
}

func (l *listings) get(repository string, now time.Time) ([]string, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	found, ok := l.lists.Get(repository)
	return found.names, ok && now.Sub(found.at) < brief
}

// add is for a list whose reading began at the given time.
func (l *listings) add(repository string, names []string, at time.Time) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if !l.changed.Before(at) {
		return
	}
	l.lists.Remove(repository)
	l.lists.Add(repository, listing{names, at})
	for l.names += len(names); l.names > listed; {
		l.lists.RemoveOldest()
	}
}

func (l *listings) forget(repository string, now time.Time) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.lists.Remove(repository)
	l.changed = now
}
