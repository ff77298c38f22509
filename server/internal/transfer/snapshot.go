package transfer

import (
	"context"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// snapshot is what there is to copy.
type snapshot struct {
	repositories []*repository
	blobs        []digest.Digest
}

type repository struct {
	name              string
	tags              []*tag
	revisions, layers []digest.Digest
	referrers         []link
}

type tag struct {
	repository, name string
	// exists is false for what a deletion or an unfinished push leaves behind.
	exists bool
	// current is what the tag's link holds: the digest of a manifest, if all is well.
	current digest.Digest
	// history are all manifests the tag has ever named.
	history []digest.Digest
	// pushed is when the tag was pushed. It is set once it is certain that the target has to be told.
	pushed time.Time
}

func (t *tag) String() string { return t.repository + ":" + t.name }

func (t *tag) currentPath() string {
	return layout.TagPath(t.repository, t.name)
}

func (t *tag) indexPath() string {
	return layout.TagIndexPath(t.repository, t.name)
}

func (s *snapshot) tags() []*tag {
	var all []*tag
	for _, r := range s.repositories {
		all = append(all, r.tags...)
	}
	return all
}

// takeSnapshot reads tags first and blobs last, in the opposite order to a push. So whatever it finds of an
// image that is pushed meanwhile, it finds with everything below it.
func takeSnapshot(ctx context.Context, driver storagedriver.StorageDriver, workers int) (*snapshot, error) {
	t := &snapshotTaker{driver: driver, workers: workers}
	s := &snapshot{}
	var err error
	if s.repositories, err = t.named(ctx); err != nil {
		return nil, err
	}
	if err := each(ctx, workers, s.tags(), t.tag); err != nil {
		return nil, err
	}
	if err := each(ctx, workers, s.repositories, t.referrers); err != nil {
		return nil, err
	}
	if err := each(ctx, workers, s.repositories, t.revisions); err != nil {
		return nil, err
	}
	if err := each(ctx, workers, s.repositories, t.layers); err != nil {
		return nil, err
	}
	s.blobs, err = t.blobs(ctx)
	return s, err
}

type snapshotTaker struct {
	driver  storagedriver.StorageDriver
	workers int
}

// named are all repositories, with the names of their tags.
func (t *snapshotTaker) named(ctx context.Context) ([]*repository, error) {
	all, err := t.repositories(ctx, "")
	if err != nil {
		return nil, err
	}
	return all, each(ctx, t.workers, all, t.tagNames)
}

// repositories finds those at and below a name; a repository may hold others.
func (t *snapshotTaker) repositories(ctx context.Context, name string) ([]*repository, error) {
	entries, err := layout.Names(ctx, t.driver, layout.RepositoryPath(name))
	if err != nil {
		return nil, err
	}
	slices.Sort(entries)
	var found []*repository
	if slices.Contains(entries, layout.Manifests) || slices.Contains(entries, layout.Layers) {
		found = append(found, &repository{name: name})
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry, "_") || strings.HasPrefix(entry, ".") {
			continue
		}
		below, err := t.repositories(ctx, path.Join(name, entry))
		if err != nil {
			return nil, err
		}
		found = append(found, below...)
	}
	return found, nil
}

func (t *snapshotTaker) tagNames(ctx context.Context, r *repository) error {
	entries, err := layout.TagNames(ctx, t.driver, r.name)
	slices.Sort(entries)
	for _, name := range entries {
		r.tags = append(r.tags, &tag{repository: r.name, name: name})
	}
	return err
}

func (t *snapshotTaker) tag(ctx context.Context, found *tag) error {
	content, err := t.driver.GetContent(ctx, found.currentPath())
	if layout.IsMissing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	found.exists = true
	found.current = digest.Digest(content)
	found.history, err = layout.Digests(ctx, t.driver, found.indexPath())
	return err
}

func (t *snapshotTaker) referrers(ctx context.Context, r *repository) error {
	subjects, err := layout.Digests(ctx, t.driver, layout.RepositoryPath(r.name, layout.Referrers))
	if err != nil {
		return err
	}
	for _, subject := range subjects {
		about, err := layout.Digests(ctx, t.driver, layout.ReferrersPath(r.name, subject))
		if err != nil {
			return err
		}
		for _, d := range about {
			r.referrers = append(r.referrers, link{r.name, layout.ReferrerPath(r.name, subject, d), d})
		}
	}
	return nil
}

func (t *snapshotTaker) revisions(ctx context.Context, r *repository) (err error) {
	r.revisions, err = layout.Digests(ctx, t.driver, layout.RepositoryPath(r.name, layout.Revisions))
	return err
}

func (t *snapshotTaker) layers(ctx context.Context, r *repository) (err error) {
	r.layers, err = layout.Digests(ctx, t.driver, layout.RepositoryPath(r.name, layout.Layers))
	return err
}

func (t *snapshotTaker) blobs(ctx context.Context) ([]digest.Digest, error) {
	algorithms, err := layout.Names(ctx, t.driver, layout.Blobs)
	if err != nil {
		return nil, err
	}
	var found []digest.Digest
	var mutex sync.Mutex
	for _, algorithm := range algorithms {
		prefixes, err := layout.Names(ctx, t.driver, path.Join(layout.Blobs, algorithm))
		if err != nil {
			return nil, err
		}
		err = each(ctx, t.workers, prefixes, func(ctx context.Context, prefix string) error {
			encoded, err := layout.Names(ctx, t.driver, path.Join(layout.Blobs, algorithm, prefix))
			if err != nil {
				return err
			}
			mutex.Lock()
			defer mutex.Unlock()
			found = append(found, layout.Valid(algorithm, encoded)...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
