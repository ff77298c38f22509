package gcs

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"cloud.google.com/go/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"google.golang.org/api/iterator"
)

// objects are all objects that a query finds, over all pages.
func (d *driver) objects(ctx context.Context, query storage.Query) iter.Seq2[*storage.ObjectAttrs, error] {
	return func(yield func(*storage.ObjectAttrs, error) bool) {
		found := d.bucket.Objects(ctx, &query)
		for {
			object, err := found.Next()
			if errors.Is(err, iterator.Done) || !yield(object, err) || err != nil {
				return
			}
		}
	}
}

func (d *driver) List(ctx context.Context, path string) ([]string, error) {
	children := []string{}
	for object, err := range d.objects(ctx, storage.Query{Prefix: d.folder(path), Delimiter: "/"}) {
		switch {
		case err != nil:
			return nil, err
		case object.Prefix != "":
			children = append(children, d.path(strings.TrimSuffix(object.Prefix, "/")))
		// Consoles make empty objects for folders.
		case object.ContentType != sessionType && !strings.HasSuffix(object.Name, "/"):
			children = append(children, d.path(object.Name))
		}
	}
	if len(children) == 0 && path != "/" {
		return nil, storagedriver.PathNotFoundError{Path: path}
	}
	return children, nil
}

func (d *driver) Walk(ctx context.Context, path string, visit storagedriver.WalkFn, options ...func(*storagedriver.WalkOptions)) error {
	return storagedriver.WalkFallback(ctx, d, path, visit, options...)
}

func (d *driver) Move(ctx context.Context, from, to string) error {
	return d.move(ctx, d.object(from), to)
}

// move copies the object and then deletes it. If an upload could not be deleted, it is purged with
// the old ones.
func (d *driver) move(ctx context.Context, from *storage.ObjectHandle, to string) error {
	copier := d.object(to).CopierFrom(from)
	err := retry(ctx, func() error {
		_, err := copier.Run(ctx)
		return err
	})
	if err != nil {
		return missing(d.path(from.ObjectName()), err)
	}
	_ = remove(ctx, from)
	return nil
}

// Delete removes everything below a path, or, if there is nothing, the object at the path. It deletes in reverse
// order: of a tag, the link to its image is then deleted last.
func (d *driver) Delete(ctx context.Context, path string) error {
	var names []string
	for object, err := range d.objects(ctx, storage.Query{Prefix: d.folder(path)}) {
		if err != nil {
			return err
		}
		names = append(names, object.Name)
	}
	if len(names) == 0 {
		if _, err := d.object(path).Attrs(ctx); err != nil {
			return missing(path, err)
		}
		names = []string{d.key(path)}
	}
	for _, name := range slices.Backward(names) {
		if err := remove(ctx, d.bucket.Object(name)); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes an object, which may be gone: an earlier try may have deleted it, and its answer was lost.
func remove(ctx context.Context, object *storage.ObjectHandle) error {
	err := retry(ctx, func() error { return object.Delete(ctx) })
	if errors.Is(err, storage.ErrObjectNotExist) {
		return nil
	}
	return err
}
