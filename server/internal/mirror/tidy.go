package mirror

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/walk"
)

// sweep deletes what a killed mirror left behind: uploads, which nobody will continue, and links without a
// digest, at which the engine would stop.
func sweep(ctx context.Context, driver storagedriver.StorageDriver) error {
	return walk.Below(ctx, driver, layout.Repositories, workers, func(relative string, info storagedriver.FileInfo) error {
		file := path.Join(layout.Repositories, relative)
		repository, own, _ := layout.Inside(file)
		if folder, _, _ := strings.Cut(own, "/"); folder == layout.Uploads {
			err := layout.Remove(ctx, driver, path.Join(repository, layout.Uploads))
			if err == nil && info.IsDir() {
				err = storagedriver.ErrSkipDir
			}
			return err
		}
		if info.IsDir() || !layout.IsFile(path.Base(file)) || sizesOfDigests[info.Size()] {
			return nil
		}
		content, err := driver.GetContent(ctx, file)
		if err == nil && digest.Digest(content).Validate() != nil {
			err = layout.Remove(ctx, driver, file)
		}
		if layout.IsMissing(err) {
			return nil
		}
		return err
	})
}

// sizesOfDigests are the sizes of complete links. A link of such a size need not be read.
var sizesOfDigests = map[int64]bool{
	int64(len(digest.SHA256.FromBytes(nil))): true,
	int64(len(digest.SHA512.FromBytes(nil))): true,
}

// stateFile is where the engine keeps the list of what is to expire.
const stateFile = "/scheduler-state.json"

// entry is what the engine keeps about a blob or manifest, under "repository@digest".
type entry struct {
	Key       string
	Expiry    time.Time `json:"ExpiryData"`
	EntryType kind
}

type kind int

const (
	blobKind kind = iota
	manifestKind
)

// tidy makes the engine's list of what is to expire agree with the cache, before the engine reads it. Without
// that, the engine would never delete what it cached in the last seconds before a crash, nor the content of a
// manifest that expired. It would not start with a list that it cannot read. If the new list cannot be written,
// the engine starts with the old one, and what is in that one still expires.
func tidy(ctx context.Context, c *configuration.Configuration, driver storagedriver.StorageDriver, log *logrus.Entry) error {
	ttl := 7 * 24 * time.Hour // the engine's default
	if c.Proxy.TTL != nil {
		ttl = *c.Proxy.TTL
	}
	if ttl <= 0 {
		return nil // kept for ever
	}
	registry, err := storage.NewRegistry(ctx, driver)
	if err != nil {
		return err
	}
	known, err := read(ctx, driver, log)
	if err != nil {
		return err
	}
	cached, err := links(ctx, registry)
	if err != nil {
		return fmt.Errorf("mirror: the cache cannot be read: %w", err)
	}
	entries := map[string]entry{}
	linked := map[digest.Digest]bool{}
	now := time.Now()
	latest := now.Add(ttl)
	for _, link := range cached {
		key := link.name.String()
		// The lifetime may be shorter than it was when this was cached.
		expiry := latest
		if had, ok := known[key]; ok && had.Expiry.Before(latest) {
			expiry = had.Expiry
		}
		if expiry.Before(now) {
			// The engine would delete it right after the start. On a full disk, the list needs the room before
			// that.
			if err := layout.Remove(ctx, driver, path.Dir(link.path())); err != nil {
				return fmt.Errorf("mirror: %w", err)
			}
			continue
		}
		linked[link.name.Digest()] = true
		entries[key] = entry{Key: key, Expiry: expiry, EntryType: link.kind}
	}
	if err := removeOthers(ctx, driver, registry, linked); err != nil {
		return fmt.Errorf("mirror: %w", err)
	}
	content, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	if err := driver.PutContent(ctx, stateFile, content); err != nil {
		log.WithError(err).Warn("mirror: the list of what expires cannot be written; what it lacks is kept until a start at which it can")
		if known == nil {
			return layout.Remove(ctx, driver, stateFile)
		}
	}
	return nil
}

func read(ctx context.Context, driver storagedriver.StorageDriver, log *logrus.Entry) (map[string]entry, error) {
	content, err := driver.GetContent(ctx, stateFile)
	if layout.IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var known map[string]entry
	if err := json.Unmarshal(content, &known); err != nil {
		log.Warnf("mirror: %s is made anew: %v", stateFile, err)
		return nil, nil
	}
	return known, nil
}

// link is a blob or manifest that a repository has.
type link struct {
	name reference.Canonical
	kind kind
}

// path is where the link is.
func (l link) path() string {
	folder := map[kind]string{blobKind: layout.Layers, manifestKind: layout.Revisions}[l.kind]
	return layout.LinkPath(layout.RepositoryPath(l.name.Name(), folder), l.name.Digest())
}

func links(ctx context.Context, registry distribution.Namespace) ([]link, error) {
	repositories, ok := registry.(distribution.RepositoryEnumerator)
	if !ok {
		return nil, errors.New("repositories cannot be listed")
	}
	var all []link
	err := repositories.Enumerate(ctx, func(name string) error {
		named, err := reference.WithName(name)
		if err != nil {
			return err
		}
		repository, err := registry.Repository(ctx, named)
		if err != nil {
			return err
		}
		manifests, err := repository.Manifests(ctx)
		if err != nil {
			return err
		}
		for kind, content := range map[kind]any{blobKind: repository.Blobs(ctx), manifestKind: manifests} {
			// The engine's interfaces for both are the same but for their names, so this one is used for both.
			enumerator, ok := content.(distribution.BlobEnumerator)
			if !ok {
				return errors.New("its content cannot be listed")
			}
			err := enumerator.Enumerate(ctx, func(d digest.Digest) error {
				canonical, err := reference.WithDigest(named, d)
				all = append(all, link{canonical, kind})
				return err
			})
			if err != nil && !layout.IsMissing(err) {
				return err
			}
		}
		return nil
	})
	if layout.IsMissing(err) {
		return nil, nil // nothing was cached yet
	}
	return all, err
}

// removeOthers removes the blobs that no repository has.
func removeOthers(ctx context.Context, driver storagedriver.StorageDriver, registry distribution.Namespace, linked map[digest.Digest]bool) error {
	var others []digest.Digest
	err := registry.Blobs().Enumerate(ctx, func(d digest.Digest) error {
		if !linked[d] {
			others = append(others, d)
		}
		return nil
	})
	if err != nil && !layout.IsMissing(err) {
		return err
	}
	vacuum := storage.NewVacuum(ctx, driver)
	for _, each := range others {
		if err := vacuum.RemoveBlob(each.String()); err != nil {
			return err
		}
	}
	return nil
}
