package mirror

import (
	"cmp"
	"context"
	"net/http"
	"path"
	"slices"
	"sync"
	"time"

	v2 "github.com/distribution/distribution/v3/registry/api/v2"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/gorilla/mux"
	"github.com/opencontainers/go-digest"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/touched"
	"container-registry/server/internal/wait"
	"container-registry/server/internal/walk"
)

// Bound keeps the cache below a size. It deletes what was pulled longest ago first, even before its lifetime
// has ended. What is being fetched may exceed the size for some seconds.
type Bound struct {
	driver storagedriver.StorageDriver
	most   int64
	// shrunk is called when something was deleted.
	shrunk func()
	log    *logrus.Entry
	// grown holds a value if the cache may have grown since it was last measured.
	grown chan struct{}

	// asked holds what requests under way ask for. The engine may have found it already, so it is not deleted.
	asked *touched.Set

	mutex sync.Mutex
	// pulled is when cached content was last pulled, since the start.
	pulled  map[digest.Digest]time.Time
	evicted Evicted
}

// Evicted is what was deleted since the start to keep a cache below the size it may have.
type Evicted struct{ Blobs, Bytes, Most int64 }

// Evicted returns what was deleted so far.
func (b *Bound) Evicted() Evicted {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.evicted
}

// NewBound is for a cache that may hold most bytes.
func NewBound(driver storagedriver.StorageDriver, most int64, shrunk func(), log *logrus.Entry) *Bound {
	return &Bound{
		driver: driver,
		most:   most,
		shrunk: shrunk,
		log:    log,
		grown:  make(chan struct{}, 1),
		pulled: map[digest.Digest]time.Time{},
		asked:  touched.New(0),

		evicted: Evicted{Most: most},
	}
}

// Handler keeps what is asked for by its digest from being deleted, from before the engine looks for it.
func (b *Bound) Handler(engine http.Handler, prefix string) http.Handler {
	router := v2.RouterWithPrefix(prefix)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var match mux.RouteMatch
		if router.Match(r, &match) && match.Route != nil {
			// A manifest's reference may be a tag.
			d := digest.Digest(cmp.Or(match.Vars["digest"], match.Vars["reference"]))
			if d.Validate() == nil {
				answered, err := b.asked.Touch(r.Context(), match.Vars["name"], d)
				if err != nil {
					return // the client is gone
				}
				defer answered(false)
			}
		}
		engine.ServeHTTP(w, r)
	})
}

// Note records what a client got.
func (b *Bound) Note(p Pull, now time.Time) {
	if p.Digest.Validate() == nil {
		b.mutex.Lock()
		b.pulled[p.Digest] = now
		b.mutex.Unlock()
	}
	if p.Fetched {
		b.grow()
	}
}

func (b *Bound) grow() {
	select {
	case b.grown <- struct{}{}:
	default:
	}
}

// pace is the shortest pause between two measurements of the cache.
const pace = 2 * time.Second

// rest is the pause after a measurement that took so long. A cache that takes long to measure is being measured
// for a fifth of the time.
func rest(took time.Duration) time.Duration { return max(pace, 4*took) }

// Run measures the cache now and whenever it has grown, until ctx ends.
func (b *Bound) Run(ctx context.Context) {
	b.grow()
	for {
		select {
		case <-b.grown:
		case <-ctx.Done():
			return
		}
		began := time.Now()
		err := b.shrink(ctx)
		until := rest(time.Since(began))
		if err != nil && ctx.Err() == nil {
			b.log.WithError(err).Error("mirror: the cache cannot be kept below its size; this is tried again in a minute")
			b.grow()
			until = time.Minute
		}
		if wait.For(ctx, until) != nil {
			return
		}
	}
}

// cachedBlob is a manifest or a layer in the cache.
type cachedBlob struct {
	digest digest.Digest
	size   int64
	// last is when it was pulled, or fetched.
	last time.Time
}

// workers is the number of folders that are read at once.
const workers = 4

// shrink deletes enough of a cache that is too large to leave a tenth of its size free.
func (b *Bound) shrink(ctx context.Context) error {
	all, bytes, err := b.measure(ctx)
	if err != nil || bytes <= b.most {
		return err
	}
	links, err := b.links(ctx)
	if err != nil {
		return err
	}
	defer b.shrunk()
	slices.SortFunc(all, func(x, y cachedBlob) int { return x.last.Compare(y.last) })
	held, number := bytes, 0
	var last time.Time
	for _, each := range all {
		if bytes <= b.most-b.most/10 {
			break
		}
		done, err := b.evict(ctx, each, links[each.digest])
		if err != nil {
			return err
		}
		if done {
			number, last, bytes = number+1, each.last, bytes-each.size
		}
	}
	b.log.WithFields(logrus.Fields{"bytes": held, "most": b.most, "left": bytes, "deleted": number, "last": last.UTC().Format(time.RFC3339)}).
		Info("mirror: the cache was too large; what was pulled longest ago is deleted")
	return nil
}

// measure finds all cached blobs and their total size. It also forgets the pulls of blobs that are gone.
func (b *Bound) measure(ctx context.Context) (all []cachedBlob, bytes int64, err error) {
	var mutex sync.Mutex
	err = walk.Blobs(ctx, b.driver, workers, func(d digest.Digest, info storagedriver.FileInfo) error {
		mutex.Lock()
		defer mutex.Unlock()
		all = append(all, cachedBlob{d, info.Size(), info.ModTime()})
		bytes += info.Size()
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	pulled := map[digest.Digest]time.Time{}
	for i, each := range all {
		if at, ok := b.pulled[each.digest]; ok {
			pulled[each.digest], all[i].last = at, at
		}
	}
	b.pulled = pulled
	return all, bytes, nil
}

// links are the link files through which repositories have layers and manifests.
func (b *Bound) links(ctx context.Context) (map[digest.Digest][]string, error) {
	var mutex sync.Mutex
	links := map[digest.Digest][]string{}
	err := walk.Below(ctx, b.driver, layout.Repositories, workers, func(relative string, info storagedriver.FileInfo) error {
		file := path.Join(layout.Repositories, relative)
		if d, ok := layout.LinkOf(file); ok && !info.IsDir() {
			mutex.Lock()
			defer mutex.Unlock()
			links[d] = append(links[d], file)
		}
		return nil
	})
	return links, err
}

// evict deletes a blob with the links to it, unless it is pulled meanwhile, and says whether it did.
func (b *Bound) evict(ctx context.Context, c cachedBlob, links []string) (bool, error) {
	b.mutex.Lock()
	again := b.pulled[c.digest].After(c.last)
	b.mutex.Unlock()
	if again {
		return false, nil
	}
	done, err := b.asked.Delete(c.digest, func() error {
		for _, file := range append(links, layout.BlobPath(c.digest)) {
			// The folder goes with the file.
			if err := layout.Remove(ctx, b.driver, path.Dir(file)); err != nil {
				return err
			}
		}
		return nil
	})
	if done {
		b.mutex.Lock()
		defer b.mutex.Unlock()
		b.evicted.Blobs++
		b.evicted.Bytes += c.size
	}
	return done, err
}
