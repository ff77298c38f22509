package referrers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/store"
	"container-registry/server/internal/turns"
	"container-registry/server/internal/walk"
)

// Tags is what WriteTags did.
type Tags struct {
	Written, Kept int
	// Removed are tags that listed nothing any more.
	Removed int
	// TooLarge are tags that no client could read.
	TooLarge []string
}

func (t Tags) String() string {
	return fmt.Sprintf("tags of referrers: %d written, %d were right already, %d removed\n", t.Written, t.Kept, t.Removed)
}

// errMirror is why a pull-through cache needs no such tags.
var errMirror = errors.New("this is a pull-through cache: it lists no referrers")

// WriteTags writes for each image what registries without the referrers API have clients
// keep themselves: a tag for an index of what is about it. Where nothing is any more, the tag
// goes. A dry run only counts.
func WriteTags(ctx context.Context, c *configuration.Configuration, dryRun bool) (Tags, error) {
	var done Tags
	if c.Proxy.RemoteURL != "" {
		return done, errMirror
	}
	driver, err := store.Of(c).Open(ctx)
	if err != nil {
		return done, err
	}
	if !dryRun {
		// A garbage collection would take what no tag names yet.
		host, _ := os.Hostname()
		name := fmt.Sprintf("the command on %s, process %d", host, os.Getpid())
		hold, held, err := fence.New(driver, name, fence.TimingOf(c.Storage.Type()), fence.NoCache{}).Acquire(ctx)
		if err != nil {
			return done, err
		}
		defer hold.Release(held)
		ctx = held
	}
	w := &tagWriter{NewLister(layout.Twice(driver), turns.New(bounds.Memory())), dryRun, &done}
	subjects, err := findSubjects(ctx, driver)
	if err != nil {
		return done, err
	}
	for _, each := range slices.SortedFunc(maps.Keys(subjects), subject.compare) {
		if err := w.write(ctx, each.repository, each.digest, subjects[each]); err != nil {
			return done, fmt.Errorf("%s@%s: %w", each.repository, each.digest, err)
		}
	}
	return done, nil
}

type tagWriter struct {
	*Lister
	dryRun bool
	done   *Tags
}

// subject is a manifest that others are about, or were.
type subject struct {
	repository string
	digest     digest.Digest
}

func (s subject) compare(other subject) int {
	return strings.Compare(s.repository+"@"+string(s.digest), other.repository+"@"+string(other.digest))
}

// findSubjects says whether there are links to what is about each, or a tag alone.
func findSubjects(ctx context.Context, driver storagedriver.StorageDriver) (map[subject]bool, error) {
	found := map[subject]bool{}
	var mutex sync.Mutex
	err := walk.Below(ctx, driver, layout.Repositories, atOnce, func(relative string, info storagedriver.FileInfo) error {
		name, own, _ := layout.Inside(relative)
		switch own {
		case layout.Layers, layout.Revisions, layout.Uploads:
			return storagedriver.ErrSkipDir
		}
		mutex.Lock()
		defer mutex.Unlock()
		link, _ := layout.ParseLink(own)
		switch {
		case link.Kind == layout.ReferrerLink && !info.IsDir():
			found[subject{name, link.Subject}] = true
		case strings.HasPrefix(own, layout.Tags+"/"):
			tag := path.Base(layout.TagFolder(relative))
			if algorithm, encoded, ok := layout.Companion(tag); ok {
				for _, d := range layout.Valid(algorithm.String(), []string{encoded}) {
					if about := (subject{name, d}); layout.ReferrersTag(d) == tag {
						found[about] = found[about]
					}
				}
			}
			if info.IsDir() {
				return storagedriver.ErrSkipDir
			}
		}
		return nil
	})
	return found, err
}

// write leaves alone what clients list in a tag where there are no links.
func (w *tagWriter) write(ctx context.Context, repository string, about digest.Digest, linked bool) error {
	tag := layout.ReferrersTag(about)
	// Collections keep for ever what is about an image that is gone, once a tag names it.
	if there, err := w.get(ctx, layout.RevisionPath(repository, about)); err != nil {
		return err
	} else if there == nil {
		return w.remove(ctx, repository, tag, about)
	}
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
	for after, more := "", true; more; more = after != "" {
		found, err := w.list(ctx, repository, about, after, math.MaxInt, nil)
		if err != nil {
			return err
		}
		for _, each := range found.descriptors {
			var descriptor v1.Descriptor
			if err := json.Unmarshal(each, &descriptor); err != nil {
				return err
			}
			index.Manifests = append(index.Manifests, descriptor)
		}
		after = found.last
	}
	if len(index.Manifests) == 0 {
		return w.remove(ctx, repository, tag, about)
	}
	content, err := json.Marshal(index)
	if err != nil || !linked {
		return err
	}
	if len(content) > manifest.MostBytes {
		w.done.TooLarge = append(w.done.TooLarge, repository+":"+tag)
		return nil
	}
	return w.tag(ctx, repository, tag, content)
}

// remove takes away a tag of an index that lists nothing that is there. The tag may as well name the
// image itself, as those do that cosign copy writes.
func (w *tagWriter) remove(ctx context.Context, repository, tag string, about digest.Digest) error {
	current, err := w.get(ctx, layout.TagPath(repository, tag))
	if err != nil || digest.Digest(current) == about {
		return err
	}
	listed, err := w.tagged(ctx, repository, about)
	if err != nil || len(listed) == 0 {
		return err
	}
	for _, d := range listed {
		if there, err := w.get(ctx, layout.RevisionPath(repository, d)); err != nil || there != nil {
			return err
		}
	}
	w.done.Removed++
	if w.dryRun {
		return nil
	}
	return w.driver.Delete(ctx, layout.RepositoryPath(repository, layout.Tags, tag))
}

// tag writes what is referred to before what refers to it.
func (w *tagWriter) tag(ctx context.Context, repository, tag string, content []byte) error {
	d := digest.FromBytes(content)
	current, err := w.get(ctx, layout.TagPath(repository, tag))
	if err != nil {
		return err
	}
	if digest.Digest(current) == d {
		w.done.Kept++
		return nil
	}
	w.done.Written++
	if w.dryRun {
		return nil
	}
	link := []byte(d)
	for _, each := range []struct {
		path    string
		content []byte
	}{
		{layout.BlobPath(d), content},
		{layout.RevisionPath(repository, d), link},
		{layout.LinkPath(layout.TagIndexPath(repository, tag), d), link},
		{layout.TagPath(repository, tag), link},
	} {
		if err := w.driver.PutContent(ctx, each.path, each.content); err != nil {
			return err
		}
	}
	return nil
}
