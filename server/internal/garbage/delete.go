package garbage

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/garbage/plan"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/walk"
)

// delete carries out a deletion unless it has turned out that the thing stays.
func (r *run) delete(ctx context.Context, d plan.Deletion) error {
	if needed, err := r.isNeeded(ctx, d); err != nil || needed {
		return err
	}
	var paths []string
	switch d.Stage {
	case plan.Tags:
		if moved, err := r.moved(ctx, d); err != nil || moved {
			return err
		}
		paths = []string{layout.RepositoryPath(d.Repository, layout.Tags, d.Tag)}
	case plan.Manifests:
		paths = r.linksTo(d)
	case plan.Links:
		paths = []string{r.whole(layout.ReferrerPath(d.Repository, d.Subject, d.Digest))}
	case plan.Layers:
		paths = []string{r.whole(layout.LinkPath(layout.RepositoryPath(d.Repository, layout.Layers), d.Digest))}
	case plan.Blobs:
		paths = []string{r.whole(layout.BlobPath(d.Digest))}
	case plan.Repositories:
		paths = []string{layout.RepositoryPath(d.Repository, layout.Layers), layout.RepositoryPath(d.Repository, layout.Referrers), layout.RepositoryPath(d.Repository, layout.Manifests)}
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
		if d.Stage == plan.Manifests {
			r.spared = append(r.spared, d)
		}
		r.mutex.Unlock()
	}
	return nil
}

// isNeeded says whether it has turned out since the plan was made that the thing stays.
func (r *run) isNeeded(ctx context.Context, d plan.Deletion) (bool, error) {
	needs := r.todo.Needs
	switch d.Stage {
	case plan.Tags:
		return d.Rule == "" && needs.Manifests[d.Repository][d.Digest], nil
	case plan.Manifests, plan.Links:
		return needs.Manifests[d.Repository][d.Digest], nil
	case plan.Layers, plan.Blobs:
		return needs.Blobs[d.Digest], nil
	default:
		return r.inUse(ctx, d.Repository)
	}
}

// remove spares what a client may have been told of. It says whether it deleted anything.
func (r *run) remove(ctx context.Context, d plan.Deletion, paths []string) (bool, error) {
	if !byDigest(d) {
		return true, r.hold.Remove(ctx, paths...)
	}
	return r.hold.Delete(ctx, d.Digest, paths...)
}

// byDigest says whether clients are told by its digest of what is deleted.
func byDigest(d plan.Deletion) bool { return d.Stage != plan.Tags && d.Stage != plan.Repositories }

// whole is what is deleted for a blob or link: its folder. If the store has no folders it is only the file,
// because looking for more would only take time.
func (r *run) whole(file string) string {
	if _, ok := r.driver.(walk.Lister); ok {
		return file
	}
	return path.Dir(file)
}

// moved says whether a tag was pushed or deleted since the rules looked at it.
func (r *run) moved(ctx context.Context, d plan.Deletion) (bool, error) {
	if r.pushed[d.Repository+":"+d.Tag] {
		return true, nil
	}
	content, err := layout.Read(ctx, r.driver, layout.TagPath(d.Repository, d.Tag))
	if layout.IsMissing(err) {
		// A tag that a push left when it was cut off has no link, and has not changed.
		return d.Digest != "", nil
	}
	return d.Digest == "" || digest.Digest(content) != d.Digest, err
}

// linksTo are the links to a manifest: those of the tags that have ever named it, and the one by which it is
// found.
func (r *run) linksTo(d plan.Deletion) []string {
	var paths []string
	for _, tag := range d.Named {
		paths = append(paths, r.whole(layout.LinkPath(layout.TagIndexPath(d.Repository, tag), d.Digest)))
	}
	return append(paths, r.whole(layout.LinkPath(layout.RepositoryPath(d.Repository, layout.Revisions), d.Digest)))
}

// inUse says whether somebody pushes to a repository that was empty.
func (r *run) inUse(ctx context.Context, repository string) (bool, error) {
	if len(r.todo.Needs.Manifests[repository]) > 0 || r.fence.InUse(repository) {
		return true, nil
	}
	names, err := layout.Names(ctx, r.driver, layout.RepositoryPath(repository, layout.Uploads))
	if r.options.DryRun {
		names = slices.DeleteFunc(names, func(name string) bool {
			_, goes := r.todo.Needs.Inventory.CutOff[inventory.Upload{Repository: repository, Name: name}]
			return goes
		})
	}
	return len(names) > 0, err
}
