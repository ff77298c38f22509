package garbage

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/walk"
)

// inventory is what a store holds.
type inventory struct {
	driver storagedriver.StorageDriver

	blobs        map[digest.Digest]blob
	repositories map[string]*repository
	// aliases are the digests by which the engine keeps the bytes of layers that were
	// pushed by a digest of another algorithm.
	aliases map[digest.Digest]digest.Digest
	// leftovers are files that were to become a blob or a link.
	leftovers []string

	mutex     sync.Mutex
	manifests map[digest.Digest]*manifest.Manifest
	// problems are what people should put right.
	problems []string
}

type blob struct {
	// name is the digest, for all that refer to it to share.
	name digest.Digest
	size int64
	// written is in microseconds since 1970: a million blobs have to fit into memory.
	written int64
}

type repository struct {
	name string
	// revisions and layers are the links to manifests and to other blobs, and when each
	// was written.
	revisions, layers map[digest.Digest]int64
	tags              map[string]*tag
	// referrers are the links to manifests that are about another one.
	referrers map[referrer]bool
	// longer are the manifests whose digest is longer than the tags that are about them, by
	// the beginning of those.
	longer map[string]digest.Digest
}

type referrer struct{ subject, digest digest.Digest }

type tag struct {
	// current is the manifest the tag names; empty for what an unfinished push leaves, and
	// for a tag that is damaged.
	current digest.Digest
	damaged bool
	pushed  time.Time
	// carried are for a tag that was transferred, until pushed is known by them.
	carried []layout.Carried
	// history are all manifests the tag has ever named.
	history []digest.Digest
	// begun is when one of them was written, and abandoned says that it names none, and that no
	// push can be under way to it.
	begun     time.Time
	abandoned bool
	// deserted says that it is about a manifest that a client deleted.
	deserted bool
}

// abandonment is how long nobody writes to what a push left that was cut off: far longer than it
// takes to write a tag.
const abandonment = 24 * time.Hour

// workers is how many requests are sent to a store at once.
const workers = 16

// takeInventory looks at the blobs first: what is pushed after that is nothing to delete.
func takeInventory(ctx context.Context, driver storagedriver.StorageDriver) (*inventory, error) {
	i := &inventory{
		driver:       driver,
		blobs:        map[digest.Digest]blob{},
		repositories: map[string]*repository{},
		aliases:      map[digest.Digest]digest.Digest{},
		manifests:    map[digest.Digest]*manifest.Manifest{},
	}
	if err := walk.Below(ctx, driver, layout.Blobs, workers, i.locked(i.addBlob)); err != nil {
		return nil, err
	}
	if err := walk.Below(ctx, driver, layout.Repositories, workers, i.locked(i.addLink)); err != nil {
		return nil, err
	}
	for _, read := range []func(context.Context) error{i.readAliases, i.readTags, i.readManifests, i.findDangling, i.findDeserted} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	slices.Sort(i.problems)
	return i, nil
}

// locked is for walks that see several files at a time.
func (i *inventory) locked(add walk.Visit) walk.Visit {
	return func(relative string, info storagedriver.FileInfo) error {
		i.mutex.Lock()
		defer i.mutex.Unlock()
		return add(relative, info)
	}
}

func (i *inventory) addBlob(relative string, info storagedriver.FileInfo) error {
	whole := path.Join(layout.Blobs, relative)
	if layout.IsUnfinished(path.Base(relative)) {
		return i.addLeftover(whole, info)
	}
	if d, ok := layout.BlobOf(whole); ok && !info.IsDir() {
		i.blobs[d] = blob{d, info.Size(), info.ModTime().UnixMicro()}
	}
	return nil
}

func (i *inventory) addLeftover(p string, info storagedriver.FileInfo) error {
	i.leftovers = append(i.leftovers, p)
	if info.IsDir() {
		// Walks take it for a folder, and would look into it.
		return storagedriver.ErrSkipDir
	}
	return nil
}

func (i *inventory) addLink(relative string, info storagedriver.FileInfo) error {
	name, own, found := layout.Inside(relative)
	if !found {
		return nil
	}
	parts := strings.Split(own, "/")
	if info.IsDir() && parts[0] == layout.Uploads {
		return storagedriver.ErrSkipDir
	}
	r := i.repository(name)
	if tag, c, ok := layout.CarriedOf(own); ok {
		c.Manifest = i.shared(c.Manifest)
		r.tag(tag).carried = append(r.tag(tag).carried, c)
		if info.IsDir() {
			// Walks take it for a folder, and would look into it.
			return storagedriver.ErrSkipDir
		}
		return nil
	}
	folder := path.Join(parts[:min(2, len(parts))]...)
	if folder == layout.Tags && len(parts) == 3 && layout.IsTagName(parts[2]) {
		// Also one that has neither link.
		r.tag(parts[2])
		return nil
	}
	if layout.IsUnfinished(path.Base(own)) {
		return i.addLeftover(path.Join(layout.Repositories, relative), info)
	}
	if info.IsDir() || parts[len(parts)-1] != "link" {
		return nil
	}
	switch {
	case parts[0] == layout.Layers && len(parts) == 4:
		for _, d := range layout.Valid(parts[1], parts[2:3]) {
			r.layers[i.shared(d)] = info.ModTime().UnixMicro()
		}
	case folder == layout.Revisions && len(parts) == 5:
		for _, d := range layout.Valid(parts[2], parts[3:4]) {
			r.revisions[i.shared(d)] = info.ModTime().UnixMicro()
			if d.Algorithm() != digest.Canonical {
				r.longer[layout.ReferrersTag(d)] = d
			}
		}
	case parts[0] == layout.Referrers && len(parts) == 6:
		for _, subject := range layout.Valid(parts[1], parts[2:3]) {
			for _, d := range layout.Valid(parts[3], parts[4:5]) {
				r.referrers[referrer{i.shared(subject), i.shared(d)}] = true
			}
		}
	case folder == layout.Tags && len(parts) == 5 && parts[3] == "current":
		r.tag(parts[2]).pushed = info.ModTime()
	case folder == layout.Tags && len(parts) == 7 && parts[3] == "index":
		t := r.tag(parts[2])
		t.history = append(t.history, layout.Valid(parts[4], parts[5:6])...)
		t.begun = latest(t.begun, info.ModTime())
	}
	return nil
}

// shared is the same digest, in the memory of its blob.
func (i *inventory) shared(d digest.Digest) digest.Digest {
	if found, ok := i.blobs[d]; ok {
		return found.name
	}
	return d
}

func (i *inventory) repository(name string) *repository {
	r, ok := i.repositories[name]
	if !ok {
		r = &repository{
			name:      name,
			revisions: map[digest.Digest]int64{},
			layers:    map[digest.Digest]int64{},
			tags:      map[string]*tag{},
			referrers: map[referrer]bool{},
			longer:    map[string]digest.Digest{},
		}
		i.repositories[name] = r
	}
	return r
}

func (r *repository) tag(name string) *tag {
	t, ok := r.tags[name]
	if !ok {
		t = &tag{}
		r.tags[name] = t
	}
	return t
}

func (i *inventory) problem(format string, values ...any) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.problems = append(i.problems, fmt.Sprintf(format, values...))
}

// readAliases looks into the links of which there are few.
func (i *inventory) readAliases(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, r := range i.repositories {
		for d := range r.layers {
			if d.Algorithm() != digest.Canonical {
				group.Go(func() error { return i.readAlias(ctx, r.name, d) })
			}
		}
	}
	return group.Wait()
}

func (i *inventory) readAlias(ctx context.Context, repository string, d digest.Digest) error {
	content, err := layout.Read(ctx, i.driver, layout.LinkPath(layout.RepositoryPath(repository, layout.Layers), d))
	if layout.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if target := digest.Digest(content); target.Validate() == nil && target.Algorithm() == digest.Canonical {
		i.mutex.Lock()
		defer i.mutex.Unlock()
		i.aliases[d] = target
	}
	return nil
}

func (i *inventory) readTags(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, r := range i.repositories {
		for name, t := range r.tags {
			group.Go(func() error {
				content, err := layout.Read(ctx, i.driver, layout.TagPath(r.name, name))
				if layout.IsMissing(err) {
					return i.findAbandoned(ctx, r.name, name, t)
				}
				if err != nil {
					return err
				}
				if d := digest.Digest(content); d.Validate() == nil {
					t.current, t.pushed, t.carried = d, layout.LastPush(d, t.pushed, t.carried), nil
				} else {
					t.damaged = true
					i.problem("tag %s:%s is damaged: it names no manifest; all that it ever named is kept; push or delete it", r.name, name)
				}
				return nil
			})
		}
	}
	return group.Wait()
}

// findAbandoned looks at a tag that names nothing. It may be a file that somebody left.
func (i *inventory) findAbandoned(ctx context.Context, repository, name string, t *tag) error {
	info, err := i.driver.Stat(ctx, layout.RepositoryPath(repository, layout.Tags, name))
	if layout.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	t.abandoned = info.IsDir() && time.Since(latest(t.begun, info.ModTime())) > abandonment
	return nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (i *inventory) readManifests(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	begun := map[digest.Digest]bool{}
	for _, r := range i.repositories {
		for d := range r.revisions {
			if begun[d] {
				continue
			}
			begun[d] = true
			group.Go(func() error {
				_, err := i.manifest(ctx, r.name, d)
				return err
			})
		}
	}
	return group.Wait()
}

// findDangling looks at tags whose manifest was not found. It may have been pushed since.
func (i *inventory) findDangling(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, r := range i.repositories {
		for name, t := range r.tags {
			if t.current == "" || i.isWhole(r, t) {
				continue
			}
			group.Go(func() error {
				for _, each := range []string{layout.BlobPath(t.current), layout.LinkPath(layout.RepositoryPath(r.name, layout.Revisions), t.current)} {
					_, err := i.driver.Stat(ctx, each)
					if layout.IsMissing(err) {
						i.problem("tag %s:%s names %s, which is not there; push or delete it", r.name, name, t.current)
						return nil
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	return group.Wait()
}

var (
	// gone stands for a manifest without bytes. Who pushes it again brings them back.
	gone = &manifest.Manifest{}
	// damaged stands for one of which it can't be told what it needs.
	damaged = &manifest.Manifest{}
)

// manifest reads it once, unless it was gone or damaged.
func (i *inventory) manifest(ctx context.Context, repository string, d digest.Digest) (*manifest.Manifest, error) {
	i.mutex.Lock()
	m, ok := i.manifests[d]
	i.mutex.Unlock()
	if ok && m != gone && m != damaged {
		return m, nil
	}
	content, err := layout.Read(ctx, i.driver, layout.BlobPath(d))
	switch {
	case layout.IsMissing(err):
		m = gone
	case err != nil:
		return nil, err
	default:
		// What the engine took can be read as far as the engine reads it.
		m, _ = manifest.Parse(content)
		if m != nil {
			for n, each := range m.Blobs {
				m.Blobs[n] = i.shared(each)
			}
		}
		if m == nil || d.Algorithm().FromBytes(content) != d {
			m = damaged
			i.problem("%s@%s is damaged, so it cannot be told which blobs it needs; all of its repository is kept; push it again or delete it", repository, d)
		}
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.manifests[d] = m
	return m, nil
}

// isWhole says whether a tag leads to a manifest that can be read.
func (i *inventory) isWhole(r *repository, t *tag) bool {
	_, found := r.revisions[t.current]
	m := i.manifests[t.current]
	return found && m != gone && m != damaged
}

// isDamaged says whether it can't be told what a repository needs.
func (i *inventory) isDamaged(r *repository) bool {
	for d := range r.revisions {
		if i.manifests[d] == damaged {
			return true
		}
	}
	return false
}
