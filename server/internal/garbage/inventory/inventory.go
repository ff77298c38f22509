// Package inventory finds out what a store holds: the blobs, and the manifests, layers and tags of each
// repository.
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
	// otherNames are for manifests whose referrers name them by a digest of another algorithm: from that
	// digest to the one that the manifest is kept by.
	otherNames map[digest.Digest]digest.Digest
	// Leftovers are files that were to become a blob or a link.
	Leftovers []string
	// CutOff are the uploads that nobody has gone on with for a long time, and their sizes.
	CutOff map[Upload]int64

	mutex     sync.Mutex
	Manifests map[digest.Digest]*manifest.Manifest
	// Problems are for people to put right.
	Problems []string
}

// Blob is a file of content.
type Blob struct {
	// name is the digest. All that refers to the blob shares its memory.
	name digest.Digest
	Size int64
	// Written is in microseconds since 1970: a million blobs have to fit into memory.
	Written int64
}

// Repository is what the store holds for a repository.
type Repository struct {
	Name string
	// Revisions and Layers are the links to manifests and to other blobs, and when each
	// was written.
	Revisions, Layers map[digest.Digest]int64
	Tags              map[string]*Tag
	// Referrers are the links to manifests that are about another one.
	Referrers map[Referrer]bool
	// Vague says that a manifest needs layers for which it is not known by which digest their bytes are kept.
	// damaged are the layers whose link does not tell.
	Vague   bool
	damaged map[digest.Digest]bool
	// longer are the manifests whose digest is longer than a tag about them can be, by what such a tag
	// begins with.
	longer map[string]digest.Digest
}

// Referrer is a manifest that is about another one.
type Referrer struct{ Subject, Digest digest.Digest }

// Tag is a tag, or what a push to one left.
type Tag struct {
	// Current is the manifest that the tag names. It is empty for what an unfinished push left, and for a
	// damaged tag.
	Current digest.Digest
	Damaged bool
	Pushed  time.Time
	// carried is for a tag that was transferred, until Pushed has been derived from it.
	carried []layout.Carried
	// History are all manifests that the tag has ever named.
	History []digest.Digest
	// begun is when the latest of them was written. Abandoned says that the tag names none, and that no
	// push to it can be under way.
	begun     time.Time
	Abandoned bool
	// Deserted says that it is about a manifest that a client deleted.
	Deserted bool
}

// Abandonment is the time without writes after which a push or upload counts as cut off. It is far longer
// than it takes to write a tag, or than a client pauses in the middle of a layer.
const Abandonment = 24 * time.Hour

// Workers is the number of requests that are sent to a store concurrently.
const Workers = 16

// Take takes the inventory of a store. It looks at the blobs first, so what is pushed after that is not up
// for deletion.
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

// Repository is the repository with a name. It is new if the store has none.
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
