package descriptors

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/storage/cache"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/redis/go-redis/v9"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/guard"
)

const (
	// lifetime lets Redis forget the generations that are over.
	lifetime = 24 * time.Hour
	// patience is for one answer, unless redis says something else: the store itself is
	// about as fast.
	patience = time.Second
	// pause is how long nothing is asked of a Redis that did not answer.
	pause = 2 * time.Second
	// silence is how long it is not told again what it refuses.
	silence = time.Minute
)

// redisClient reads redis as the engine does.
func redisClient(config configuration.Redis) (redis.UniversalClient, error) {
	// The engine's options are those of the client by the same names, with tags for YAML.
	var options redis.UniversalOptions
	content, err := json.Marshal(config.Options)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(content, &options); err != nil {
		return nil, err
	}
	if len(options.Addrs) == 0 {
		return nil, errors.New("storage.cache.blobdescriptor: redis needs redis.addrs")
	}
	for _, limit := range []*time.Duration{&options.DialTimeout, &options.ReadTimeout, &options.WriteTimeout} {
		if *limit == 0 {
			*limit = patience
		}
	}
	if options.MaxRetries == 0 {
		options.MaxRetries = -1
	}
	settings := config.TLS
	if settings.Certificate != "" || len(settings.RootCAs) > 0 {
		options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if settings.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(settings.Certificate, settings.Key)
		if err != nil {
			return nil, fmt.Errorf("redis.tls.certificate: %w", err)
		}
		options.TLSConfig.Certificates = []tls.Certificate{pair}
	}
	if len(settings.RootCAs) > 0 {
		options.TLSConfig.RootCAs = x509.NewCertPool()
	}
	for _, file := range settings.RootCAs {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("redis.tls.rootcas: %w", err)
		}
		if !options.TLSConfig.RootCAs.AppendCertsFromPEM(content) {
			return nil, fmt.Errorf("redis.tls.rootcas: %s: no certificate in PEM", file)
		}
	}
	return redis.NewUniversalClient(&options), nil
}

// clientLog has the client's words go where those of all others do.
type clientLog struct{}

func (clientLog) Printf(_ context.Context, format string, values ...any) {
	log.Printf("redis: "+format, values...)
}

func init() { redis.SetLogger(clientLog{}) }

// breaker spares requests the wait for a Redis that is away: one of them in a while
// finds out whether it is back, and the others do without.
type breaker struct {
	addresses []string
	log       *logrus.Entry
	retry     atomic.Pointer[time.Time]
	// away says that it gives no answer; refused is until when it is not told that it refuses.
	away    atomic.Bool
	refused atomic.Pointer[time.Time]
}

func (b *breaker) String() string { return "the Redis at " + strings.Join(b.addresses, ", ") }

func (b *breaker) open() bool {
	at := b.retry.Load()
	// Whoever takes the turn moves it on, so that others do not wait too.
	return at != nil && (time.Now().Before(*at) || !b.retry.CompareAndSwap(at, after(pause)))
}

// noted remembers whether Redis answered, and tells when that changes. One without memory left
// refuses some commands and obeys others; that is told once in a while.
func (b *breaker) noted(err error) error {
	var said redis.Error
	switch {
	case err == nil || errors.Is(err, redis.Nil):
		b.retry.Store(nil)
		if b.away.Swap(false) {
			b.log.Infof("%s answers again", b)
		}
	case errors.As(err, &said):
		err = fmt.Errorf("%s refuses what it is asked: %w", b, err)
		b.retry.Store(after(pause))
		if last := b.refused.Load(); (last == nil || time.Now().After(*last)) && b.refused.CompareAndSwap(last, after(silence)) {
			b.log.Error(err)
		}
	case !errors.Is(err, context.Canceled):
		err = fmt.Errorf("%s does not answer: %w", b, err)
		b.retry.Store(after(pause))
		if !b.away.Swap(true) {
			b.log.Errorf("%v; deletions of images and layers fail until it does", err)
		}
	}
	return err
}

func after(wait time.Duration) *time.Time {
	at := time.Now().Add(wait)
	return &at
}

// shared is one generation in Redis, for all servers of a store.
type shared struct {
	client                        redis.UniversalClient
	breaker                       *breaker
	store, generation, repository string
}

func (s shared) RepositoryScoped(repository string) (distribution.BlobDescriptorService, error) {
	s.repository = repository
	return s, nil
}

func (s shared) key(repository string, d digest.Digest) string {
	return fmt.Sprintf("container-registry:%s:%s:%s@%s", s.store, s.generation, repository, d)
}

func (s shared) Stat(ctx context.Context, d digest.Digest) (v1.Descriptor, error) {
	var descriptor v1.Descriptor
	if s.breaker.open() {
		return descriptor, distribution.ErrBlobUnknown
	}
	content, err := s.client.Get(ctx, s.key(s.repository, d)).Bytes()
	err = s.breaker.noted(err)
	if errors.Is(err, redis.Nil) {
		return descriptor, distribution.ErrBlobUnknown
	}
	if err != nil {
		return descriptor, err
	}
	return descriptor, json.Unmarshal(content, &descriptor)
}

func (s shared) SetDescriptor(ctx context.Context, d digest.Digest, descriptor v1.Descriptor) error {
	if err := cache.ValidateDescriptor(descriptor); err != nil {
		return err
	}
	content, err := json.Marshal(descriptor)
	if err != nil || s.breaker.open() {
		return err
	}
	pipe := s.client.Pipeline()
	for _, repository := range []string{"", s.repository} {
		pipe.Set(ctx, s.key(repository, d), content, lifetime)
	}
	_, err = pipe.Exec(ctx)
	return s.breaker.noted(err)
}

// Clear is tried in any case, and its failure is one of the deletion that it is part of:
// other servers, which Redis may answer, would go on believing what it has.
func (s shared) Clear(ctx context.Context, d digest.Digest) error {
	err := s.breaker.noted(s.client.Del(ctx, s.key(s.repository, d)).Err())
	if err != nil {
		guard.Refuse(ctx, errAway)
	}
	return err
}

var errAway = errors.New("the Redis of this registry does not answer, and what is deleted must go there too")
