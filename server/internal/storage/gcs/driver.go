package gcs

import (
	"context"
	"crypto/md5"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"cloud.google.com/go/storage"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/base"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
)

const (
	driverName = "gcs"

	contentType = "application/octet-stream"
	// sessionType is the type of the object that stands for an unfinished upload.
	sessionType = "application/x-docker-upload-session"

	// redirectExpiry is how long a client may take to start a download.
	redirectExpiry = 20 * time.Minute
)

func init() {
	factory.Register(driverName, driverFactory{})
}

type driverFactory struct{}

func (driverFactory) Create(ctx context.Context, parameters map[string]any) (storagedriver.StorageDriver, error) {
	return FromParameters(ctx, parameters)
}

// Driver stores a registry in a bucket of Google Cloud Storage.
type Driver struct{ baseEmbed }

// baseEmbed keeps base.Base out of Driver's exported fields.
type baseEmbed struct{ base.Base }

// driver does the work; base checks paths and measures around it.
type driver struct {
	// client sends the requests of upload sessions. Those of bucket go through it, too.
	client *http.Client
	bucket *storage.BucketHandle
	// prefix is what all names begin with: "" or "folder/".
	prefix    string
	chunkSize int
}

// FromParameters makes a driver from the registry's configuration. It sends no request to Google.
func FromParameters(ctx context.Context, raw map[string]any) (*Driver, error) {
	return newDriver(ctx, raw, newTransport())
}

func newDriver(ctx context.Context, raw map[string]any, transport http.RoundTripper) (*Driver, error) {
	p, err := parseParameters(raw)
	if err != nil {
		return nil, err
	}
	identity, err := newIdentity(p, transport)
	if err != nil {
		return nil, err
	}
	client, err := newClient(p, transport, identity)
	if err != nil {
		return nil, err
	}
	objects, err := storage.NewClient(ctx, option.WithHTTPClient(client), option.WithAuthCredentials(identity))
	if err != nil {
		return nil, err
	}
	objects.SetRetry(storage.WithErrorFunc(again))
	d := &driver{client: client, bucket: objects.Bucket(p.Bucket), chunkSize: p.ChunkSize}
	if p.RootDirectory != "" {
		d.prefix = p.RootDirectory + "/"
	}
	return &Driver{baseEmbed{base.Base{StorageDriver: base.NewRegulator(d, uint64(p.MaxConcurrency))}}}, nil
}

// key is the name of the object at a path.
func (d *driver) key(path string) string {
	return d.prefix + strings.TrimPrefix(path, "/")
}

// folder is what the names of all objects below a path begin with.
func (d *driver) folder(path string) string {
	if path == "/" {
		return d.prefix
	}
	return d.key(path) + "/"
}

// path is the path of an object's name.
func (d *driver) path(key string) string {
	return "/" + strings.TrimPrefix(key, d.prefix)
}

func (d *driver) object(path string) *storage.ObjectHandle {
	return d.bucket.Object(d.key(path))
}

// missing turns the client's words for an object that isn't there into the engine's.
func missing(path string, err error) error {
	if errors.Is(err, storage.ErrObjectNotExist) {
		return storagedriver.PathNotFoundError{Path: path}
	}
	return err
}

func (d *driver) Name() string { return driverName }

func (d *driver) GetContent(ctx context.Context, path string) ([]byte, error) {
	r, err := d.Reader(ctx, path, 0)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func (d *driver) PutContent(ctx context.Context, path string, content []byte) error {
	return put(ctx, d.object(path), content, whole(contentType, content, nil))
}

// whole are the attributes that an object with this content is to have.
func whole(contentType string, content []byte, metadata map[string]string) *storage.ObjectAttrs {
	sum := md5.Sum(content)
	return &storage.ObjectAttrs{ContentType: contentType, Size: int64(len(content)), MD5: sum[:], Metadata: metadata}
}

// put writes a whole object in one request.
func put(ctx context.Context, object *storage.ObjectHandle, content []byte, want *storage.ObjectAttrs) error {
	return retry(ctx, func() error {
		w := object.NewWriter(ctx)
		w.ContentType, w.Metadata, w.MD5 = want.ContentType, want.Metadata, want.MD5
		// The client has a buffer of that size. If it got full, the client would send two requests.
		w.ChunkSize = len(content) + 1
		if _, err := w.Write(content); err != nil {
			return err
		}
		return w.Close()
	})
}

// Reader continues where it was when its connection breaks: the client takes care of that.
func (d *driver) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	r, err := d.object(path).NewRangeReader(ctx, offset, -1)
	if err != nil {
		var status *googleapi.Error
		if errors.As(err, &status) && status.Code == http.StatusRequestedRangeNotSatisfiable {
			return d.atEnd(ctx, path, offset)
		}
		return nil, missing(path, err)
	}
	if r.Attrs.ContentType == sessionType {
		r.Close()
		return nil, storagedriver.PathNotFoundError{Path: path}
	}
	return r, nil
}

// atEnd is an empty reader for an offset at the end of an object. An offset beyond the end is an error.
func (d *driver) atEnd(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	info, err := d.Stat(ctx, path)
	if err != nil {
		return nil, err
	}
	if info.Size() != offset {
		return nil, storagedriver.InvalidOffsetError{Path: path, Offset: offset}
	}
	return http.NoBody, nil
}

// Stat asks for the object and, if there is none, for anything below it.
func (d *driver) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	fields := storagedriver.FileInfoFields{Path: path}
	if path != "/" {
		object, err := d.object(path).Attrs(ctx)
		switch {
		case err == nil && object.ContentType == sessionType:
			return nil, storagedriver.PathNotFoundError{Path: path}
		case err == nil:
			fields.Size, fields.ModTime = object.Size, object.Updated
			return storagedriver.FileInfoInternal{FileInfoFields: fields}, nil
		case !errors.Is(err, storage.ErrObjectNotExist):
			return nil, err
		}
	}
	below := d.bucket.Objects(ctx, &storage.Query{Prefix: d.folder(path)})
	below.PageInfo().MaxSize = 1
	_, err := below.Next()
	if err != nil && !errors.Is(err, iterator.Done) {
		return nil, err
	}
	if err != nil && path != "/" {
		return nil, storagedriver.PathNotFoundError{Path: path}
	}
	fields.IsDir = true
	return storagedriver.FileInfoInternal{FileInfoFields: fields}, nil
}

// RedirectURL signs a download. Only GET and HEAD can be redirected.
func (d *driver) RedirectURL(r *http.Request, path string) (string, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "", nil
	}
	return d.bucket.SignedURL(d.key(path), &storage.SignedURLOptions{Method: r.Method, Expires: time.Now().Add(redirectExpiry)})
}
