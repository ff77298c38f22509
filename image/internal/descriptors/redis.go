package descriptors

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/storage/cache"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/redis/go-redis/v9"
)

// lifetime lets Redis forget the generations that are over.
const lifetime = 24 * time.Hour

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

// shared is one generation in Redis, for all servers of a store.
type shared struct {
	client                        redis.UniversalClient
	store, generation, repository string
}

func (s shared) RepositoryScoped(repository string) (distribution.BlobDescriptorService, error) {
	return shared{s.client, s.store, s.generation, repository}, nil
}

func (s shared) key(repository string, d digest.Digest) string {
	return fmt.Sprintf("container-registry:%s:%s:%s@%s", s.store, s.generation, repository, d)
}

func (s shared) Stat(ctx context.Context, d digest.Digest) (v1.Descriptor, error) {
	var descriptor v1.Descriptor
	content, err := s.client.Get(ctx, s.key(s.repository, d)).Bytes()
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
	if err != nil {
		return err
	}
	pipe := s.client.Pipeline()
	for _, repository := range []string{"", s.repository} {
		pipe.Set(ctx, s.key(repository, d), content, lifetime)
	}
	_, err = pipe.Exec(ctx)
	return err
}

func (s shared) Clear(ctx context.Context, d digest.Digest) error {
	return s.client.Del(ctx, s.key(s.repository, d)).Err()
}
