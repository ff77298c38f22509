// Package images reads the images in a store, for people to look at. Everything it reads came from clients: it
// keeps a bounded part of that, and trusts none of it.
package images

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/turns"
)

const (
	// atOnce is the number of requests sent to the store at once for all viewers together, and workers the
	// number for one of them.
	atOnce, workers = 64, 32
	// largest is the size up to which a manifest or configuration is read.
	largest = manifest.MostBytes
	// large is the size above which one is read alone: it takes many times its size in memory.
	large = 256 << 10
)

var (
	// ErrMissing is for what is not there.
	ErrMissing = errors.New("there is no such image")
	// ErrDamaged is for what a repository refers to but the store has lost or changed. It is as good as
	// missing.
	ErrDamaged = fmt.Errorf("%w: it is damaged", ErrMissing)
)

// Reader reads one store.
type Reader struct {
	driver    storagedriver.StorageDriver
	lists     lists
	turns     *turns.Turns
	places    bounds.Places
	large     bounds.Places
	manifests *memory[*Manifest]
	configs   *memory[*Config]
	tags      *listings
}

// NewReader makes the one Reader of a server.
func NewReader(driver storagedriver.StorageDriver, turns *turns.Turns) *Reader {
	places := make(bounds.Places, atOnce)
	return &Reader{
		driver:    driver,
		lists:     lists{driver, places},
		turns:     turns,
		places:    places,
		large:     make(bounds.Places, 1),
		manifests: newMemory[*Manifest](8 << 20),
		configs:   newMemory[*Config](8 << 20),
		tags:      newListings(),
	}
}

// Manifest returns a manifest of a repository. A manifest that only another repository has is not shown.
func (r *Reader) Manifest(ctx context.Context, repository string, d digest.Digest) (*Manifest, error) {
	if _, err := r.stat(ctx, layout.RevisionPath(repository, d)); err != nil {
		return nil, err
	}
	m, err := r.part(ctx, d)
	if errors.Is(err, ErrMissing) {
		err = ErrDamaged
	}
	return m, err
}

// part returns a manifest that one of the repository lists. The engine made sure that the repository has it.
func (r *Reader) part(ctx context.Context, d digest.Digest) (*Manifest, error) {
	if found, ok := r.manifests.get(d); ok {
		return found, nil
	}
	var m *Manifest
	err := r.read(ctx, d, func(content []byte) error {
		var ok bool
		if m, ok = parse(d, content); !ok {
			return ErrMissing
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.manifests.add(d, m)
	return m, nil
}

// Config returns the configuration of a manifest, nil if it has none of a known type.
func (r *Reader) Config(ctx context.Context, m *Manifest) (*Config, error) {
	if kind := m.Kind(); m.Config == nil || kind != Image && kind != Encrypted && kind != Chart || m.Config.Digest == "" || m.Config.Size > largest {
		return nil, nil
	}
	d := digest.Digest(m.Config.Digest)
	if found, ok := r.configs.get(d); ok {
		return found, nil
	}
	var c *Config
	err := r.read(ctx, d, func(content []byte) error {
		c = parseConfig(content)
		return nil
	})
	if errors.Is(err, ErrMissing) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r.configs.add(d, c)
	return c, nil
}

// read parses a blob. A large one holds no place while it waits for its turn, so that small ones go on
// meanwhile.
func (r *Reader) read(ctx context.Context, d digest.Digest, parse func([]byte) error) error {
	more, err := r.readAtMost(ctx, d, large, parse)
	if err != nil || !more {
		return err
	}
	if err := r.large.Take(ctx); err != nil {
		return err
	}
	defer r.large.Leave()
	if more, err = r.readAtMost(ctx, d, largest, parse); more {
		return ErrMissing
	}
	return err
}

// readAtMost does not parse a blob that is longer than limit, and says so.
func (r *Reader) readAtMost(ctx context.Context, d digest.Digest, limit int64, parse func([]byte) error) (more bool, err error) {
	err = r.ask(ctx, func() error {
		file, err := r.driver.Reader(ctx, layout.BlobPath(d), 0)
		if err != nil {
			return err
		}
		defer file.Close()
		content, err := io.ReadAll(io.LimitReader(file, limit+1))
		if err != nil {
			return err
		}
		if more = int64(len(content)) > limit; more {
			return nil
		}
		return parse(content)
	})
	return more, err
}

func (r *Reader) stat(ctx context.Context, path string) (info storagedriver.FileInfo, err error) {
	err = r.ask(ctx, func() error {
		info, err = r.driver.Stat(ctx, path)
		return err
	})
	return info, err
}

func (r *Reader) get(ctx context.Context, path string) (content []byte, err error) {
	err = r.ask(ctx, func() error {
		content, err = r.driver.GetContent(ctx, path)
		return err
	})
	return content, err
}

// ask runs do in one of the places. With every store, what is missing is ErrMissing.
func (r *Reader) ask(ctx context.Context, do func() error) error {
	if err := r.places.Take(ctx); err != nil {
		return err
	}
	defer r.places.Leave()
	err := do()
	if layout.IsMissing(err) {
		return ErrMissing
	}
	return err
}

// lists is the store for calls that list folders. Each call takes one of the places, but holds none while it
// waits for its turn.
type lists struct {
	storagedriver.StorageDriver
	places bounds.Places
}

func (l lists) List(ctx context.Context, path string) ([]string, error) {
	if err := l.places.Take(ctx); err != nil {
		return nil, err
	}
	defer l.places.Leave()
	return l.StorageDriver.List(ctx, path)
}

// each calls do for every i below n, a limited number at a time.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for i := range n {
		group.Go(func() error { return do(ctx, i) })
	}
	return group.Wait()
}
