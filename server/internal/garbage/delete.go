package garbage

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/walk"
)

// delete does so if it is still to be done.
func (r *run) delete(ctx context.Context, d deletion) error {
	needs := r.todo.needs
	var paths []string
	switch d.stage {
	case tags:
		if moved, err := r.moved(ctx, d); err != nil || moved {
			return err
		}
		if d.rule == "" && needs.manifests[d.repository][d.digest] {
			return nil
		}
		paths = []string{layout.RepositoryPath(d.repository, layout.Tags, d.tag)}
	case manifests:
		if needs.manifests[d.repository][d.digest] {
			return nil
		}
		paths = r.linksTo(d)
	case links:
		if needs.manifests[d.repository][d.digest] {
			return nil
		}
		paths = []string{r.whole(layout.ReferrerPath(d.repository, d.subject, d.digest))}
	case layers:
		if needs.blobs[d.digest] {
			return nil
		}
		paths = []string{r.whole(layout.LinkPath(layout.RepositoryPath(d.repository, layout.Layers), d.digest))}
	case blobs:
		if needs.blobs[d.digest] {
			return nil
		}
		paths = []string{r.whole(layout.BlobPath(d.digest))}
	case repositories:
		if inUse, err := r.inUse(ctx, d.repository); err != nil || inUse {
			return err
		}
		paths = []string{layout.RepositoryPath(d.repository, layout.Layers), layout.RepositoryPath(d.repository, layout.Referrers), layout.RepositoryPath(d.repository, layout.Manifests)}
	}
	done, err := r.remove(ctx, d, paths)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", d, err)
	case done:
		r.count(d)
		r.note(d)
	default:
		r.mutex.Lock()
		r.report.Spared++
		if d.stage == manifests {
			r.spared = append(r.spared, d)
		}
		r.mutex.Unlock()
	}
	return nil
}

// remove spares what a client may have been told of.
func (r *run) remove(ctx context.Context, d deletion, paths []string) (bool, error) {
	if d.stage == tags || d.stage == repositories {
		return true, r.hold.Remove(ctx, paths...)
	}
	return r.hold.Delete(ctx, d.digest, paths...)
}

// whole is what goes with a blob or link: its folder, unless the store has none, where
// looking for more in it would only take time.
func (r *run) whole(file string) string {
	if _, ok := r.driver.(walk.Lister); ok {
		return file
	}
	return path.Dir(file)
}

// moved says whether a tag was pushed since the rules looked at it.
func (r *run) moved(ctx context.Context, d deletion) (bool, error) {
	if r.pushed[d.repository+":"+d.tag] {
		return true, nil
	}
	content, err := layout.Read(ctx, r.driver, layout.TagPath(d.repository, d.tag))
	if layout.IsMissing(err) {
		// What a push left that was cut off is still the same.
		return d.digest != "", nil
	}
	return d.digest == "" || digest.Digest(content) != d.digest, err
}

// linksTo are the links to a manifest: of tags that named it once, and the one by which
// it is found.
func (r *run) linksTo(d deletion) []string {
	var paths []string
	for _, tag := range d.named {
		paths = append(paths, r.whole(layout.LinkPath(layout.RepositoryPath(d.repository, layout.Tags, tag, "index"), d.digest)))
	}
	return append(paths, r.whole(layout.LinkPath(layout.RepositoryPath(d.repository, layout.Revisions), d.digest)))
}

// inUse says whether a repository that was empty is pushed to.
func (r *run) inUse(ctx context.Context, repository string) (bool, error) {
	if len(r.todo.needs.manifests[repository]) > 0 || r.fence.InUse(repository) {
		return true, nil
	}
	names, err := layout.Names(ctx, r.driver, layout.RepositoryPath(repository, layout.Uploads))
	if r.options.DryRun {
		names = slices.DeleteFunc(names, func(name string) bool {
			_, goes := r.todo.needs.inventory.cutOff[upload{repository, name}]
			return goes
		})
	}
	return len(names) > 0, err
}
