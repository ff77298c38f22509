package referrers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

// Tags is what WriteTags did.
type Tags struct {
	Written, Kept int
	// TooLarge are tags that no client could read.
	TooLarge []string
}

func (t Tags) String() string {
	return fmt.Sprintf("tags of referrers: %d written, %d were right already\n", t.Written, t.Kept)
}

// errMirror is why a pull-through cache needs no such tags.
var errMirror = errors.New("this is a pull-through cache: it lists no referrers")

// WriteTags writes for each image what registries without the referrers API have clients
// keep themselves: a tag for an index of what is about it. A dry run only counts.
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
	w := &tagWriter{NewLister(driver), dryRun, &done}
	subjects, err := w.subjects(ctx)
	if err != nil {
		return done, err
	}
	for _, each := range subjects {
		if err := w.write(ctx, each.repository, each.digest); err != nil {
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

// subject is a manifest that others are about.
type subject struct {
	repository string
	digest     digest.Digest
}

func (w *tagWriter) subjects(ctx context.Context) ([]subject, error) {
	found := map[subject]bool{}
	err := w.driver.Walk(ctx, layout.Repositories, func(info storagedriver.FileInfo) error {
		switch path.Base(info.Path()) {
		case layout.Layers, layout.Manifests, layout.Uploads:
			return storagedriver.ErrSkipDir
		}
		name, rest, ok := strings.Cut(strings.TrimPrefix(info.Path(), layout.Repositories+"/"), "/"+layout.Referrers+"/")
		if parts := strings.Split(rest, "/"); ok && len(parts) == 5 && !info.IsDir() {
			for _, d := range layout.Valid(parts[0], parts[1:2]) {
				found[subject{name, d}] = true
			}
		}
		return nil
	})
	if layout.IsMissing(err) {
		return nil, nil
	}
	var all []subject
	for each := range found {
		all = append(all, each)
	}
	slices.SortFunc(all, func(a, b subject) int {
		return strings.Compare(a.repository+"@"+string(a.digest), b.repository+"@"+string(b.digest))
	})
	return all, err
}

func (w *tagWriter) write(ctx context.Context, repository string, about digest.Digest) error {
	// Collections keep for ever what is about an image that is gone, once a tag names it.
	if there, err := w.get(ctx, layout.RevisionPath(repository, about)); err != nil || there == nil {
		return err
	}
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
	for after, more := digest.Digest(""), true; more; more = after != "" {
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
	content, err := json.Marshal(index)
	tag := layout.ReferrersTag(about)
	if err != nil || len(index.Manifests) == 0 {
		return err
	}
	if len(content) > 4<<20 {
		w.done.TooLarge = append(w.done.TooLarge, repository+":"+tag)
		return nil
	}
	return w.tag(ctx, repository, tag, content)
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
		{layout.LinkPath(layout.RepositoryPath(repository, layout.Tags, tag, "index"), d), link},
		{layout.TagPath(repository, tag), link},
	} {
		if err := w.driver.PutContent(ctx, each.path, each.content); err != nil {
			return err
		}
	}
	return nil
}
