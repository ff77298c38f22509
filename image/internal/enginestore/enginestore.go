// Package enginestore stands between the engine and its store.
//
// It lets clients put right what a power cut or a full disk damaged: the engine takes
// whatever stands in a blob's place for the blob, and fails on a tag whose link holds no
// digest. And it holds a tag back until its push is sure to succeed: the engine writes it
// before anybody can say so.
package enginestore

import (
	"context"

	"github.com/distribution/distribution/v3/configuration"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	storagemiddleware "github.com/distribution/distribution/v3/registry/storage/driver/middleware"
	"github.com/opencontainers/go-digest"

	"container-registry/image/internal/layout"
)

const name = "container-registry"

func init() {
	wrap := func(_ context.Context, store storagedriver.StorageDriver, _ map[string]any) (storagedriver.StorageDriver, error) {
		return driver{store}, nil
	}
	if err := storagemiddleware.Register(name, wrap); err != nil {
		panic(err)
	}
}

// Use puts it between the engine of a configuration and its store.
func Use(c *configuration.Configuration) {
	all := map[string][]configuration.Middleware{}
	for kind, list := range c.Middleware {
		all[kind] = list
	}
	all["storage"] = append([]configuration.Middleware{{Name: name}}, all["storage"]...)
	c.Middleware = all
}

type uploadKey struct{}

// Upload is the context of a request that may end an upload.
func Upload(ctx context.Context) context.Context {
	return context.WithValue(ctx, uploadKey{}, &upload{})
}

// upload is what a request found out about its upload.
type upload struct {
	size  int64
	known bool
}

type tagKey struct{}

// Tag is what a push would have a tag name.
type Tag struct {
	path    string
	content []byte
}

// HoldTag is the context of a push whose tag is not written yet.
func HoldTag(ctx context.Context) (context.Context, *Tag) {
	tag := &Tag{}
	return context.WithValue(ctx, tagKey{}, tag), tag
}

// Held says whether the engine wanted to write it.
func (t *Tag) Held() bool { return t.path != "" }

// Write does so now.
func (t *Tag) Write(ctx context.Context, store storagedriver.StorageDriver) error {
	return store.PutContent(ctx, t.path, t.content)
}

type driver struct{ storagedriver.StorageDriver }

// GetContent has a tag without a digest look like one that is not there. It can be
// pushed and deleted, and others can be listed and deleted beside it.
func (d driver) GetContent(ctx context.Context, path string) ([]byte, error) {
	content, err := d.StorageDriver.GetContent(ctx, path)
	if err == nil && (layout.IsTag(path) && digest.Digest(content).Validate() != nil || len(content) == 0 && lost(path)) {
		return nil, missing(d, path)
	}
	return content, err
}

// lost says whether an empty file is a blob of which nothing was written. Clients that ask
// before they push would take it for the blob.
func lost(path string) bool {
	return layout.IsBlob(path) && path != layout.BlobPath(digest.FromBytes(nil))
}

// PutContent keeps the tag of a push for later.
func (d driver) PutContent(ctx context.Context, path string, content []byte) error {
	if tag, ok := ctx.Value(tagKey{}).(*Tag); ok && layout.IsTag(path) {
		*tag = Tag{path, content}
		return nil
	}
	return d.StorageDriver.PutContent(ctx, path, content)
}

// Stat does not show a blob of another size to the upload that has the same digest and is
// verified: the engine then moves the upload into its place.
func (d driver) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	info, err := d.StorageDriver.Stat(ctx, path)
	u, ok := ctx.Value(uploadKey{}).(*upload)
	switch {
	case err == nil && info.Size() == 0 && lost(path):
		return nil, missing(d, path)
	case !ok:
	case layout.IsUpload(path) && err == nil:
		*u = upload{info.Size(), true}
	case layout.IsUpload(path) && layout.IsMissing(err):
		// Nothing was sent.
		*u = upload{0, true}
	case layout.IsBlob(path) && err == nil && u.known && info.Size() != u.size:
		return nil, missing(d, path)
	}
	return info, err
}

func missing(d driver, path string) error {
	return storagedriver.PathNotFoundError{Path: path, DriverName: d.Name()}
}
