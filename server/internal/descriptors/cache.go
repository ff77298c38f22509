// Package descriptors caches what the engine knows of blobs, in generations: a request
// keeps for all its life the generation it began with, so what it found out before a
// garbage collection can't get into what is believed after it. A push whose manifest comes
// later than that begins anew with the one of then.
package descriptors

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	registrymiddleware "github.com/distribution/distribution/v3/registry/middleware/registry"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/cache"
	"github.com/distribution/distribution/v3/registry/storage/cache/memory"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/store"
)

func init() {
	// The engine takes options from everywhere in the process; this one finds the cache
	// of a server in the request.
	if err := registrymiddleware.RegisterOptions(storage.BlobDescriptorCacheProvider(fromRequest{})); err != nil {
		panic(err)
	}
}

// Cache is the cache of one server.
type Cache struct {
	open    func(generation string) cache.BlobDescriptorCacheProvider
	current atomic.Pointer[cache.BlobDescriptorCacheProvider]
	close   func() error
}

// Take makes the cache that storage.cache asks for, and takes the section out of the
// configuration: the engine's own caches know no generations.
func Take(config *configuration.Configuration, log *logrus.Entry) (*Cache, error) {
	settings := config.Storage["cache"]
	delete(config.Storage, "cache")
	c := &Cache{close: func() error { return nil }}
	switch kind := settings["blobdescriptor"]; kind {
	case nil:
		c.open = func(string) cache.BlobDescriptorCacheProvider { return nil }
	case "inmemory":
		size := memory.DefaultSize
		if given, ok := settings["blobdescriptorsize"].(int); ok {
			size = given
		}
		c.open = func(string) cache.BlobDescriptorCacheProvider {
			return memory.NewInMemoryBlobDescriptorCacheProvider(size)
		}
	case "redis":
		client, err := redisClient(config.Redis)
		if err != nil {
			return nil, err
		}
		c.close = client.Close
		// Stores may share a Redis.
		name := digest.FromString(store.Of(config).String()).Encoded()[:16]
		state := &breaker{addresses: config.Redis.Options.Addrs, log: log}
		c.open = func(generation string) cache.BlobDescriptorCacheProvider {
			return shared{client: client, breaker: state, store: name, generation: generation}
		}
	default:
		return nil, fmt.Errorf("storage.cache.blobdescriptor: %v: not allowed", kind)
	}
	return c, nil
}

// Begin forgets everything, and begins the generation of this name.
func (c *Cache) Begin(generation string) {
	provider := c.open(generation)
	c.current.Store(&provider)
}

// Stop believes nothing until the next generation.
func (c *Cache) Stop() { c.current.Store(nil) }

// Close ends the connection to a cache elsewhere.
func (c *Cache) Close() error { return c.close() }

// Size of a blob, if it is known to a request that may use the cache.
func Size(ctx context.Context, blob digest.Digest) (size int64, known bool) {
	descriptor, err := fromRequest{}.Stat(ctx, blob)
	return descriptor.Size, err == nil
}

type contextKey struct{}

// pinned is the generation of a request.
type pinned struct {
	provider atomic.Pointer[cache.BlobDescriptorCacheProvider]
	// layers says that the engine looks for no manifests.
	layers bool
}

// The engine knows one type of all that is in a store, and looks for layers and manifests in the same
// cache. What it found for a request that may be about a manifest has a type of its own there, as a
// client that takes it for a layer would not upload that.
const (
	anything        = "application/octet-stream"
	perhapsManifest = "application/vnd.container-registry.manifest"
)

func forLayers(ctx context.Context) bool {
	p, ok := ctx.Value(contextKey{}).(*pinned)
	return ok && p.layers
}

// Pin has a request use the present generation all its life.
func (c *Cache) Pin(ctx context.Context) context.Context {
	p := &pinned{}
	p.provider.Store(c.current.Load())
	return context.WithValue(ctx, contextKey{}, p)
}

// Renew has a request that found out nothing yet use the present generation instead of
// the one it began with.
func (c *Cache) Renew(ctx context.Context) {
	if p, ok := ctx.Value(contextKey{}).(*pinned); ok {
		p.provider.Store(c.current.Load())
	}
}

// Doubt has a request find out all by itself, and forgets what is known of these of a
// repository, and of all. What other repositories know by themselves stays. A cache that can't be
// told is asked again at the next push of them.
func (c *Cache) Doubt(ctx context.Context, repository string, ds ...digest.Digest) {
	if p, ok := ctx.Value(contextKey{}).(*pinned); ok {
		p.provider.Store(nil)
	}
	current := c.current.Load()
	if current == nil || *current == nil {
		return
	}
	own, err := (*current).RepositoryScoped(repository)
	for _, d := range ds {
		// Where there is a link, the engine asks what is known of all repositories.
		for _, known := range []distribution.BlobDescriptorService{own, *current} {
			if err == nil {
				err = known.Clear(ctx, d)
			}
		}
	}
}

// fromRequest is the provider the engine sees.
type fromRequest struct{}

func (fromRequest) of(ctx context.Context) cache.BlobDescriptorCacheProvider {
	p, ok := ctx.Value(contextKey{}).(*pinned)
	if !ok {
		return nil
	}
	if provider := p.provider.Load(); provider != nil {
		return *provider
	}
	return nil
}

func (f fromRequest) Stat(ctx context.Context, d digest.Digest) (v1.Descriptor, error) {
	if provider := f.of(ctx); provider != nil {
		descriptor, err := provider.Stat(ctx, d)
		descriptor.MediaType = anything
		return descriptor, err
	}
	return v1.Descriptor{}, distribution.ErrBlobUnknown
}

func (f fromRequest) SetDescriptor(ctx context.Context, d digest.Digest, descriptor v1.Descriptor) error {
	if provider := f.of(ctx); provider != nil {
		return provider.SetDescriptor(ctx, d, descriptor)
	}
	return nil
}

func (f fromRequest) Clear(ctx context.Context, d digest.Digest) error {
	if provider := f.of(ctx); provider != nil {
		return provider.Clear(ctx, d)
	}
	return nil
}

func (f fromRequest) RepositoryScoped(repository string) (distribution.BlobDescriptorService, error) {
	return scoped{f, repository}, nil
}

// scoped is the part of a repository.
type scoped struct {
	all        fromRequest
	repository string
}

// of is nil without a cache.
func (s scoped) of(ctx context.Context) (distribution.BlobDescriptorService, error) {
	provider := s.all.of(ctx)
	if provider == nil {
		return nil, nil
	}
	return provider.RepositoryScoped(s.repository)
}

func (s scoped) Stat(ctx context.Context, d digest.Digest) (v1.Descriptor, error) {
	service, err := s.of(ctx)
	if err != nil {
		return v1.Descriptor{}, err
	}
	if service == nil {
		return v1.Descriptor{}, distribution.ErrBlobUnknown
	}
	descriptor, err := service.Stat(ctx, d)
	// Who deletes a layer by the engine's digest of it has the cache forget that digest alone.
	if err == nil && (descriptor.Digest != d || descriptor.MediaType == perhapsManifest && forLayers(ctx)) {
		return v1.Descriptor{}, distribution.ErrBlobUnknown
	}
	return descriptor, err
}

func (s scoped) SetDescriptor(ctx context.Context, d digest.Digest, descriptor v1.Descriptor) error {
	service, err := s.of(ctx)
	if err != nil || service == nil {
		return err
	}
	if !forLayers(ctx) {
		descriptor.MediaType = perhapsManifest
	}
	return service.SetDescriptor(ctx, d, descriptor)
}

func (s scoped) Clear(ctx context.Context, d digest.Digest) error {
	service, err := s.of(ctx)
	if err != nil || service == nil {
		return err
	}
	return service.Clear(ctx, d)
}
