package swift

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/base"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
	ncw "github.com/ncw/swift/v2"

	"container-registry/server/internal/garbage/inventory"
)

const (
	driverName  = "swift"
	contentType = "application/octet-stream"

	// startTimeout bounds everything that is asked before the driver is ready.
	startTimeout = 30 * time.Second
)

func init() {
	factory.Register(driverName, driverFactory{})
}

type driverFactory struct{}

// Create implements factory.StorageDriverFactory.
func (driverFactory) Create(ctx context.Context, raw map[string]any) (storagedriver.StorageDriver, error) {
	return New(ctx, raw)
}

type baseEmbed struct {
	base.Base
}

// Driver stores the engine's files in a container of OpenStack Swift.
type Driver struct {
	baseEmbed
	inner *driver
}

// Files visits all files below a folder, in no order of folders, with few requests.
func (d *Driver) Files(ctx context.Context, folder string, visit func(storagedriver.FileInfo) error) error {
	return d.inner.Files(ctx, folder, visit)
}

// driver does the work behind Driver, which checks paths and counts calls.
type driver struct {
	client    *client
	root      string // of all object names: empty, or with a slash at its end
	chunkSize int    // bytes of a segment
	limits    limits
	tempURL   *tempURL // nil when clients are not redirected
	buffers   sync.Pool
	// abandonment is the time after which an upload that nobody continues counts as abandoned.
	abandonment time.Duration
}

var _ storagedriver.StorageDriver = &driver{}

// New makes a driver from the parameters under storage.swift. It fails when Swift can't be reached, refuses the
// credentials, or lacks the container.
func New(ctx context.Context, raw map[string]any) (*Driver, error) {
	p, err := parseParameters(raw)
	if err != nil {
		return nil, err
	}
	d, err := newDriver(ctx, p)
	if err != nil {
		return nil, err
	}
	return &Driver{baseEmbed{base.Base{StorageDriver: d}}, d}, nil
}

func newDriver(ctx context.Context, p *Options) (*driver, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("no answer within %s", startTimeout))
	defer cancel()

	c := newClient(p)
	container, err := c.do(ctx, request{method: http.MethodHead})
	if err != nil {
		return nil, startError(p, err)
	}
	info, err := c.discover(ctx)
	if err != nil {
		return nil, err
	}
	d := &driver{client: c, limits: info.limits(), abandonment: inventory.Abandonment}
	if p.RootDirectory != "" {
		d.root = p.RootDirectory + "/"
	}
	// If the cluster's minimum segment size is larger than the configured size, the minimum is used.
	d.chunkSize = max(p.ChunkSize, d.limits.segment)
	if d.tempURL, err = newTempURL(ctx, c, p, info, container.headers); err != nil {
		return nil, err
	}
	c.retry = steady
	return d, nil
}

// Name implements storagedriver.StorageDriver.
func (d *driver) Name() string { return driverName }

// fileName is the object that holds the file at a path.
func (d *driver) fileName(path string) string { return d.root + "files" + path }

// folderPrefix is what the names of all objects under a path begin with.
func (d *driver) folderPrefix(path string) string {
	if path == "/" {
		path = ""
	}
	return d.fileName(path) + "/"
}

// GetContent implements storagedriver.StorageDriver. It asks all replicas: small content, such as the digest a tag
// points to, is overwritten.
func (d *driver) GetContent(ctx context.Context, path string) ([]byte, error) {
	r := d.newReader(ctx, path, 0, true)
	if err := r.open(); err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// PutContent implements storagedriver.StorageDriver.
func (d *driver) PutContent(ctx context.Context, path string, content []byte) error {
	return d.putPlain(ctx, path, content)
}

// Reader implements storagedriver.StorageDriver.
func (d *driver) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	r := d.newReader(ctx, path, offset, false)
	if err := r.open(); err != nil {
		return nil, err
	}
	return r, nil
}

// Stat implements storagedriver.StorageDriver.
func (d *driver) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	fields := storagedriver.FileInfoFields{Path: path}
	if path != "/" {
		obj, err := d.head(ctx, d.fileName(path))
		if err == nil {
			fields.Size, fields.ModTime = obj.size, obj.modified
			return storagedriver.FileInfoInternal{FileInfoFields: fields}, nil
		}
		if !isNotFound(err) {
			return nil, err
		}
	}
	// Not a file. A folder exists if something is in it. The root always exists, but Swift is asked all the same,
	// because the engine's health check looks at it.
	entries, err := d.page(ctx, query{prefix: d.folderPrefix(path), limit: 1})
	if err != nil {
		return nil, err
	}
	if len(entries) == 0 && path != "/" {
		return nil, storagedriver.PathNotFoundError{Path: path}
	}
	fields.IsDir = true
	return storagedriver.FileInfoInternal{FileInfoFields: fields}, nil
}

// object is what an object's headers tell about it.
type object struct {
	size     int64
	modified time.Time
	etag     string
	slo      bool   // the manifest of a static large object
	dlo      string // container/prefix of the segments of a dynamic large object
	upload   string // id of the upload it was made by
	movedTo  string // destination of a Move of it
	joining  bool   // a claim whose manifest may not be there yet
}

// segmented says whether there may be segments of an object. An emptied object still has the id of their upload.
func (o *object) segmented() bool { return o.slo || o.dlo != "" || o.upload != "" }

// moving says whether a Move of the file at a path began and did not finish.
func (o *object) moving(path string) bool { return o.movedTo != "" && o.movedTo != path }

// head asks all replicas about an object: the next step may depend on the newest version.
func (d *driver) head(ctx context.Context, name string) (*object, error) {
	resp, err := d.client.do(ctx, request{method: http.MethodHead, object: name, headers: ncw.Headers{"X-Newest": "true"}})
	if err != nil {
		return nil, err
	}
	return parseObject(resp.headers), nil
}

func parseObject(h ncw.Headers) *object {
	o := &object{
		// Some clusters put the ETag in quotes.
		etag:    strings.Trim(h["Etag"], `"`),
		slo:     h["X-Static-Large-Object"] != "",
		dlo:     h["X-Object-Manifest"],
		upload:  h[uploadHeader],
		movedTo: h[movedToHeader],
		joining: h[joiningHeader] != "",
	}
	o.size, _ = strconv.ParseInt(h["Content-Length"], 10, 64)
	o.modified, _ = http.ParseTime(h["Last-Modified"])
	return o
}

// notFound turns Swift's answer that there is no such object into the engine's error.
func notFound(path string, err error) error {
	if isNotFound(err) {
		return storagedriver.PathNotFoundError{Path: path}
	}
	return err
}

func isPathNotFound(err error) bool {
	var missing storagedriver.PathNotFoundError
	return errors.As(err, &missing)
}
