package garbage

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
	// cutOff are the uploads that nobody went on with for long, and their sizes.
	cutOff map[upload]int64

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
// takes to write a tag, or than a client stands still in the middle of a layer.
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
		cutOff:       map[upload]int64{},
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
