// Package inventory finds out what a store holds: blobs, and by repository manifests, layers and tags.
package inventory

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/walk"
)

// Inventory is what a store holds.
type Inventory struct {
	driver storagedriver.StorageDriver

	Blobs        map[digest.Digest]Blob
	Repositories map[string]*Repository
	// Aliases are the digests by which the engine keeps the bytes of layers that were
	// pushed by a digest of another algorithm.
	Aliases map[digest.Digest]digest.Digest
	// otherNames are the digests by which manifests are kept that others are about by one of another
	// algorithm.
	otherNames map[digest.Digest]digest.Digest
	// Leftovers are files that were to become a blob or a link.
	Leftovers []string
	// CutOff are the uploads that nobody went on with for long, and their sizes.
	CutOff map[Upload]int64

	mutex     sync.Mutex
	Manifests map[digest.Digest]*manifest.Manifest
	// Problems are what people should put right.
	Problems []string
}

// Blob is a file of content.
type Blob struct {
	// name is the digest, for all that refer to it to share.
	name digest.Digest
	Size int64
	// Written is in microseconds since 1970: a million blobs have to fit into memory.
	Written int64
}

// Repository is what the store holds for one.
type Repository struct {
	Name string
	// Revisions and Layers are the links to manifests and to other blobs, and when each
	// was written.
	Revisions, Layers map[digest.Digest]int64
	Tags              map[string]*Tag
	// Referrers are the links to manifests that are about another one.
	Referrers map[Referrer]bool
	// Vague says that a manifest needs layers of which it can't be told by which bytes they are kept.
	// damaged are layers whose link does not tell it.
	Vague   bool
	damaged map[digest.Digest]bool
	// longer are the manifests whose digest is longer than the tags that are about them, by
	// the beginning of those.
	longer map[string]digest.Digest
}

// Referrer is a manifest that is about another one.
type Referrer struct{ Subject, Digest digest.Digest }

// Tag is a tag, or what a push to one left.
type Tag struct {
	// Current is the manifest the tag names; empty for what an unfinished push leaves, and
	// for a tag that is damaged.
	Current digest.Digest
	Damaged bool
	Pushed  time.Time
	// carried are for a tag that was transferred, until Pushed is known by them.
	carried []layout.Carried
	// History are all manifests the tag has ever named.
	History []digest.Digest
	// begun is when one of them was written, and Abandoned says that it names none, and that no
	// push can be under way to it.
	begun     time.Time
	Abandoned bool
	// Deserted says that it is about a manifest that a client deleted.
	Deserted bool
}

// Abandonment is how long nobody writes to what a push left that was cut off: far longer than it
// takes to write a tag, or than a client stands still in the middle of a layer.
const Abandonment = 24 * time.Hour

// Workers is how many requests are sent to a store at once.
const Workers = 16

// Take looks at the blobs first: what is pushed after that is nothing to delete.
func Take(ctx context.Context, driver storagedriver.StorageDriver) (*Inventory, error) {
	i := &Inventory{
		driver:       driver,
		Blobs:        map[digest.Digest]Blob{},
		Repositories: map[string]*Repository{},
		Aliases:      map[digest.Digest]digest.Digest{},
		otherNames:   map[digest.Digest]digest.Digest{},
		CutOff:       map[Upload]int64{},
		Manifests:    map[digest.Digest]*manifest.Manifest{},
	}
	if err := walk.Below(ctx, driver, layout.Blobs, Workers, i.locked(i.addBlob)); err != nil {
		return nil, err
	}
	if err := walk.Below(ctx, driver, layout.Repositories, Workers, i.locked(i.addLink)); err != nil {
		return nil, err
	}
	for _, read := range []func(context.Context) error{i.readAliases, i.readTags, i.readManifests, i.findOtherNames, i.findDangling, i.findLost, i.findDeserted, i.findVague} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	slices.Sort(i.Problems)
	return i, nil
}

// Repository is the one of a name, which is new where the store has none.
func (i *Inventory) Repository(name string) *Repository {
	r, ok := i.Repositories[name]
	if !ok {
		r = &Repository{
			Name:      name,
			Revisions: map[digest.Digest]int64{},
			Layers:    map[digest.Digest]int64{},
			Tags:      map[string]*Tag{},
			Referrers: map[Referrer]bool{},
			damaged:   map[digest.Digest]bool{},
			longer:    map[string]digest.Digest{},
		}
		i.Repositories[name] = r
	}
	return r
}

func (r *Repository) tag(name string) *Tag {
	t, ok := r.Tags[name]
	if !ok {
		t = &Tag{}
		r.Tags[name] = t
	}
	return t
}

func (i *Inventory) problem(format string, values ...any) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.Problems = append(i.Problems, fmt.Sprintf(format, values...))
}
