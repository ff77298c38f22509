package transfer

import (
	"bytes"
	"context"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/store"
)

// link is a file in a repository that names a blob.
type link struct {
	repository, path string
	digest           digest.Digest
}

func linksOf(repositories []*repository, folder string, entries func(*repository) []digest.Digest) []link {
	var links []link
	for _, each := range repositories {
		for _, d := range entries(each) {
			links = append(links, link{each.name, layout.LinkPath(layout.RepositoryPath(each.name, folder), d), d})
		}
	}
	return links
}

func (r *run) repositoryLink(ctx context.Context, l link) error {
	defer r.progress.done()
	var there, lost bool
	err := retry(ctx, func() (err error) {
		there, lost, err = r.copyLink(ctx, l.path)
		return err
	})
	key := inRepository(l.repository, l.digest)
	if err != nil {
		return r.failed(ctx, "link "+l.path, key, err)
	}
	if there {
		r.mark(r.present, key)
	}
	if lost {
		// Manifests may name the blob by the link's digest, of another algorithm than its own.
		r.mark(r.lost, key)
	}
	return nil
}

// referrerLink copies the link to a manifest whose own link was copied before.
func (r *run) referrerLink(ctx context.Context, l link) error {
	defer r.progress.done()
	if !r.has(r.present, inRepository(l.repository, l.digest)) {
		return nil
	}
	err := retry(ctx, func() error {
		_, _, err := r.copyLink(ctx, l.path)
		return err
	})
	if err != nil {
		return r.failed(ctx, "link "+l.path, l.path, err)
	}
	return nil
}

// copyLink leaves out a link to a blob that the target does not get. It says whether the target has the link,
// or whether the link is lost because the blob could not be copied.
func (r *run) copyLink(ctx context.Context, path string) (there, lost bool, err error) {
	content, err := r.from.driver.GetContent(ctx, path)
	if layout.IsMissing(err) {
		// Deletions leave folders without a link in them.
		r.report.links.absent.Add(1)
		return false, false, nil
	}
	if err != nil {
		return false, false, r.from.Failure(store.Read, err)
	}
	if !r.has(r.present, string(content)) {
		lost = r.has(r.lost, string(content))
		if !lost {
			r.report.links.dangling.Add(1)
		}
		return false, lost, nil
	}
	return true, false, r.put(ctx, path, content, &r.report.links)
}

// put writes a small file unless the target has the same.
func (r *run) put(ctx context.Context, path string, content []byte, count *count) error {
	there, err := r.to.driver.GetContent(ctx, path)
	if err == nil && bytes.Equal(there, content) {
		count.kept.Add(1)
		return nil
	}
	if err != nil && !layout.IsMissing(err) {
		return r.to.Failure(store.Read, err)
	}
	if !r.DryRun {
		if err := r.to.driver.PutContent(ctx, path, content); err != nil {
			return r.to.Failure(store.Write, err)
		}
	}
	count.written.Add(1)
	return nil
}
