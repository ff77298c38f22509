package holdings

import (
	"context"
	"hash/maphash"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/walk"
)

const (
	// workers is small, so that a count gets in nobody's way.
	workers = 2
	// skew is how far the clocks of a store and its servers may be apart.
	skew = 5 * time.Minute
)

// countAll counts everything. It looks at the blobs first, so that the sizes of those that links lead to are
// known.
func (h *Holdings) countAll(ctx context.Context) error {
	begun := time.Now()
	h.mutex.Lock()
	h.counts++
	h.mutex.Unlock()
	if err := walk.Blobs(ctx, h.driver, workers, func(d digest.Digest, info storagedriver.FileInfo) error {
		h.setSize(d, info.Size())
		return nil
	}); err != nil {
		return err
	}
	found := map[string]Repository{}
	err := walk.Below(ctx, h.driver, layout.Repositories, workers, func(relative string, info storagedriver.FileInfo) error {
		name, own, ok := layout.Inside(relative)
		if !ok {
			return nil
		}
		return h.addLink(ctx, found, name, own, info, begun)
	})
	if err != nil {
		return err
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for id, blob := range h.sizes {
		if blob.seen != h.counts {
			h.bytes -= blob.bytes
			delete(h.sizes, id)
		}
	}
	h.repositories, h.sorted = found, nil
	h.begun, h.ended = begun, time.Now()
	return nil
}

// countOne counts a repository, but not those below it.
func (h *Holdings) countOne(ctx context.Context, name string) error {
	h.mutex.Lock()
	delete(h.changed, name)
	since := h.begun
	h.mutex.Unlock()
	found := map[string]Repository{}
	for _, folder := range []string{layout.Layers, layout.Manifests} {
		err := walk.Below(ctx, h.driver, layout.RepositoryPath(name, folder), workers, func(relative string, info storagedriver.FileInfo) error {
			return h.addLink(ctx, found, name, folder+"/"+relative, info, since)
		})
		if err != nil {
			return err
		}
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.sorted = nil
	if r, ok := found[name]; ok {
		h.repositories[name] = r
	} else {
		delete(h.repositories, name)
	}
	return nil
}

// addLink adds what a link in a folder of a repository leads to. All blobs up to the time known are in
// sizes, so the store is asked only for those that were linked later.
func (h *Holdings) addLink(ctx context.Context, to map[string]Repository, name, own string, info storagedriver.FileInfo, known time.Time) error {
	if info.IsDir() {
		// The index of a tag has all manifests that it ever named, which don't count.
		if top, _, _ := strings.Cut(own, "/"); top == layout.Uploads || top == layout.Referrers || layout.IsTagIndex(own) {
			return storagedriver.ErrSkipDir
		}
		return nil
	}
	link, _ := layout.ParseLink(own)
	var found Repository
	switch link.Kind {
	case layout.LayerLink:
	case layout.RevisionLink:
		found.Manifests, found.LastPush = 1, info.ModTime()
	case layout.TagLink:
		found.Tags, found.LastPush = 1, info.ModTime()
	default:
		return nil
	}
	if link.Digest != "" {
		var err error
		if found.Bytes, err = h.size(ctx, link.Digest, info.ModTime().After(known.Add(-skew))); err != nil {
			return err
		}
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	r := to[name]
	r.Name = name
	r.Tags += found.Tags
	r.Manifests += found.Manifests
	r.Bytes += found.Bytes
	if found.LastPush.After(r.LastPush) {
		r.LastPush = found.LastPush
	}
	to[name] = r
	return nil
}

// size is the size of a blob. It is 0 for a blob that is not there: stock servers leave links to some of
// those. The store is asked only for a blob that may be new.
func (h *Holdings) size(ctx context.Context, d digest.Digest, maybeNew bool) (int64, error) {
	h.mutex.Lock()
	blob, ok := h.sizes[maphash.String(h.seed, d.String())]
	h.mutex.Unlock()
	if ok || !maybeNew {
		return blob.bytes, nil
	}
	info, err := h.driver.Stat(ctx, layout.BlobPath(d))
	if layout.IsMissing(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	h.setSize(d, info.Size())
	return info.Size(), nil
}

func (h *Holdings) setSize(d digest.Digest, size int64) {
	id := maphash.String(h.seed, d.String())
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.bytes += size - h.sizes[id].bytes
	h.sizes[id] = sized{size, h.counts}
}
