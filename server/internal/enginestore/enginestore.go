// Package enginestore stands between the engine and its store.
//
// It lets clients repair what a power cut or a full disk damaged: the engine takes
// whatever stands in a blob's place for the blob, and fails on a link that holds no
// digest. It also holds a tag back until its push is sure to succeed: the engine writes
// the tag before that is known.
//
// It lets one request at a time write to an upload, and none once the upload is a blob: the engine lets any
// number of requests open the same file, and moves the file while they have it open.
//
// It keeps what the engine does not know about: a link to each manifest that refers to another
// one, and manifests that have a digest of another algorithm than the engine's own.
package enginestore

import (
	"context"
	"errors"
	gopath "path"
	"slices"
	"strings"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	storagemiddleware "github.com/distribution/distribution/v3/registry/storage/driver/middleware"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/heavy"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/storage"
	"container-registry/server/internal/store"
)

const (
	name       = "container-registry"
	rootOption = "root"
)

func init() {
	wrap := func(_ context.Context, own storagedriver.StorageDriver, options map[string]any) (storagedriver.StorageDriver, error) {
		if root := options[rootOption].(string); root != "" {
			own = folder{own, root}
		}
		// The guard makes its store steady too, but it is above this driver, which would have reported a page that
		// stands in a link's place as a missing link.
		return driver{store.Steady(single{storage.Single(own), &uploads{open: map[string]*upload{}}})}, nil
	}
	if err := storagemiddleware.Register(name, wrap); err != nil {
		panic(err)
	}
}

// Use puts this driver between the engine of a configuration and its store.
func Use(c *configuration.Configuration) {
	all := map[string][]configuration.Middleware{}
	for kind, list := range c.Middleware {
		all[kind] = list
	}
	own := configuration.Middleware{Name: name, Options: configuration.Parameters{rootOption: store.Of(c).Folder()}}
	all["storage"] = append([]configuration.Middleware{own}, all["storage"]...)
	c.Middleware = all
}

type driver struct{ storagedriver.StorageDriver }

// GetContent reports a tag or another link without a digest as missing. Such a link can then be pushed
// and deleted, and the links beside it can be listed and deleted. A link to a layer is also missing if the
// layer was deleted by the digest that the engine keeps it by: the engine would find it, and fail to serve it.
//
// An index may name a layer, as in the caches of BuildKit. The engine looks only for
// manifests, except where its cache mixes up the two.
func (d driver) GetContent(ctx context.Context, path string) ([]byte, error) {
	if u, ok := ctx.Value(uploadKey{}).(*Ending); ok && u.found.path == path {
		return u.found.content, nil
	}
	content, err := d.StorageDriver.GetContent(ctx, path)
	if push, ok := ctx.Value(pushKey{}).(*Push); ok && layout.IsMissing(err) {
		if repository, part, ok := layout.RevisionOf(path); ok && slices.Contains(push.Layers, part) {
			return d.GetContent(ctx, layout.LinkPath(layout.RepositoryPath(repository, layout.Layers), part))
		}
	}
	if err == nil && (layout.IsLink(path) && digest.Digest(content).Validate() != nil || len(content) == 0 && lost(path)) {
		return nil, missing(d, path)
	}
	if kept, ok := layout.KeptBy(path, digest.Digest(content)); ok {
		if _, err := d.GetContent(ctx, kept); err != nil {
			return nil, err
		}
	}
	if err != nil && layout.IsMissing(err) {
		err = missing(d, path)
	}
	return content, err
}

// lost says whether an empty file stands in the place of a blob that was never written. Clients that
// ask before they push would take it for the blob.
func lost(path string) bool {
	return layout.IsBlob(path) && path != layout.BlobPath(digest.FromBytes(nil))
}

// PutContent holds back the files of a push's tag until Push.Write, and the sum of an upload until
// its bytes are stored.
func (d driver) PutContent(ctx context.Context, path string, content []byte) error {
	if u, ok := ctx.Value(uploadKey{}).(*Ending); ok && layout.IsSum(path) {
		u.sum = file{path, content}
		return nil
	}
	push, ok := ctx.Value(pushKey{}).(*Push)
	if ok && push.holds && layout.TagFolder(path) != "" {
		push.held = append(push.held, file{path, content})
		return nil
	}
	if !ok {
		return d.StorageDriver.PutContent(ctx, path, content)
	}
	path = push.place(path)
	repository, revision, isRevision := layout.RevisionOf(path)
	if isRevision {
		content = []byte(revision)
	}
	err := d.StorageDriver.PutContent(ctx, path, content)
	if err == nil && isRevision && push.Subject.Validate() == nil {
		// The link is written after the manifest. Delete removes it before the manifest.
		err = d.StorageDriver.PutContent(ctx, layout.ReferrerPath(repository, push.Subject, revision), content)
	}
	return err
}

// Delete removes the referrer link of a manifest before the manifest itself: a client that
// pushes the manifest again meanwhile writes the link last.
func (d driver) Delete(ctx context.Context, path string) error {
	if deletion, ok := ctx.Value(deletionKey{}).(*Deletion); ok && layout.TagFolder(path) == path {
		return deletion.Untag(ctx, d.StorageDriver, path)
	}
	repository, revision, ok := layout.RevisionOf(path)
	if !ok {
		return d.StorageDriver.Delete(ctx, path)
	}
	if err := heavy.Enter(ctx); err != nil {
		return err
	}
	content, err := d.StorageDriver.GetContent(ctx, layout.BlobPath(revision))
	if err != nil && !layout.IsMissing(err) {
		return err
	}
	if m, _ := manifest.Parse(content); m != nil && m.Subject.Validate() == nil {
		// In stores that have folders, the link's folder is removed as well.
		referrer := gopath.Dir(layout.ReferrerPath(repository, m.Subject, revision))
		if err := layout.Remove(ctx, d.StorageDriver, referrer); err != nil {
			return err
		}
	}
	return d.StorageDriver.Delete(ctx, path)
}

// List finds nothing in a folder that is deleted while it is read. Among tags it leaves out everything
// else, and elsewhere all names that the store does not accept in a path. Of an upload's sums it finds only
// the one that is needed.
func (d driver) List(ctx context.Context, path string) ([]string, error) {
	if u, ok := ctx.Value(uploadKey{}).(*Ending); ok && u.writer != nil && layout.IsSum(gopath.Join(path, "0")) {
		return u.findSum(ctx, d.StorageDriver, path)
	}
	if deletion, ok := ctx.Value(deletionKey{}).(*Deletion); ok && deletion.untagged && layout.IsTags(path) {
		return nil, nil
	}
	names, err := d.StorageDriver.List(ctx, path)
	if err != nil && layout.IsMissing(err) {
		err = missing(d, path)
	}
	legal := storagedriver.PathRegexp.MatchString
	if layout.IsTags(path) {
		legal = func(tag string) bool { return layout.IsTagName(gopath.Base(tag)) }
	}
	return slices.DeleteFunc(names, func(name string) bool { return !legal(name) }), err
}

// Stat hides a blob from a verified upload that has the same digest but another size: the engine
// then moves the upload into the blob's place.
func (d driver) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	if push, ok := ctx.Value(pushKey{}).(*Push); ok {
		path = push.place(path)
	}
	u, ok := ctx.Value(uploadKey{}).(*Ending)
	if blob, isBlob := layout.BlobOf(path); ok && isBlob {
		u.Looked(blob)
		u.Unverified = ""
	}
	info, err := d.StorageDriver.Stat(ctx, path)
	if ok && layout.IsUpload(path) {
		u.Unverified = gopath.Dir(path)
	}
	switch {
	case err == nil && info.Size() == 0 && lost(path):
		return nil, missing(d, path)
	case !ok:
	case layout.IsUpload(path) && err == nil:
		u.size, u.known = info.Size(), true
	case layout.IsUpload(path) && layout.IsMissing(err):
		// Nothing was sent.
		u.size, u.known = 0, true
	case layout.IsBlob(path) && err == nil && u.known && info.Size() != u.size:
		u.Replaced = true
		return nil, missing(d, path)
	}
	return info, err
}

func missing(d driver, path string) error {
	return storagedriver.PathNotFoundError{Path: path, DriverName: d.Name()}
}

// Walk skips what is inside the folder that it begins after: the engine's own walk would look at every
// tag of the repository that the previous page ended with.
func (d driver) Walk(ctx context.Context, path string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	if layout.IsTags(path) {
		return d.walkTags(ctx, path, visit)
	}
	var chosen storagedriver.WalkOptions
	for _, option := range options {
		option(&chosen)
	}
	visit = pageEnd(visit)
	if chosen.StartAfterHint == "" {
		return d.StorageDriver.Walk(ctx, path, visit, options...)
	}
	return d.StorageDriver.Walk(ctx, path, func(info storagedriver.FileInfo) error {
		if info.IsDir() && strings.HasPrefix(info.Path(), chosen.StartAfterHint+"/") {
			return storagedriver.ErrSkipDir
		}
		return visit(info)
	}, options...)
}

// walkTags visits the tags of a repository in sorted order, as the engine expects of every walk. A walk
// of S3 visits 1.2-alpine before 1.2, and pages of the list lost tags. walkTags does not go into the tags'
// folders: the engine looks at nothing there.
func (d driver) walkTags(ctx context.Context, folder string, visit storagedriver.WalkFn) error {
	tags, err := d.List(ctx, folder)
	if err != nil {
		return err
	}
	slices.Sort(tags)
	for _, tag := range tags {
		err := visit(storagedriver.FileInfoInternal{FileInfoFields: storagedriver.FileInfoFields{Path: tag, IsDir: true}})
		if errors.Is(err, storagedriver.ErrFilledBuffer) {
			return nil
		}
		if err != nil && !errors.Is(err, storagedriver.ErrSkipDir) {
			return err
		}
	}
	return nil
}

// pageEnd ends a walk when the engine's page of repositories is full. The engine ends it only at
// a folder that is not one of a repository's own (_manifests and so on). Between two repositories there may be no
// such folder, and the engine would then write beyond its page. Some drivers go on after they were told to end.
func pageEnd(visit storagedriver.WalkFn) storagedriver.WalkFn {
	full := false
	return func(info storagedriver.FileInfo) (err error) {
		if full {
			return storagedriver.ErrFilledBuffer
		}
		defer func() { full = errors.Is(err, storagedriver.ErrFilledBuffer) }()
		// A tag may have the folder's name.
		if repository, own, _ := layout.Inside(info.Path()); own == layout.Manifests {
			if err := visit(storagedriver.FileInfoInternal{FileInfoFields: storagedriver.FileInfoFields{Path: repository, IsDir: true}}); err != nil {
				return err
			}
		}
		return visit(info)
	}
}
