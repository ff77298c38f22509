package oss

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/base"
	"github.com/distribution/distribution/v3/registry/storage/driver/factory"
)

const (
	driverName = "oss"

	contentType = "application/octet-stream"

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

// Driver stores a registry in an OSS bucket.
type Driver struct{ baseEmbed }

// baseEmbed keeps base.Base out of Driver's exported fields.
type baseEmbed struct{ base.Base }

// driver does the work; base checks paths and measures around it.
type driver struct {
	client   *oss.Client
	redirect *oss.Client // nil: clients cannot be redirected
	bucket   string
	prefix   string // of all keys: "" or "dir/"

	// encryption and encryptionKey are the headers of new objects.
	encryption    *string
	encryptionKey *string

	chunkSize     int
	copyThreshold int64
}

var _ storagedriver.StorageDriver = &driver{}

// FromParameters makes a driver from the registry's configuration and checks
// that the bucket can be used.
func FromParameters(ctx context.Context, raw map[string]any) (*Driver, error) {
	p, err := parseParameters(raw)
	if err != nil {
		return nil, err
	}
	d := newDriver(p)
	if err := d.check(ctx, p.apiEndpoint().String()); err != nil {
		return nil, err
	}
	return &Driver{baseEmbed{base.Base{StorageDriver: d}}}, nil
}

func newDriver(p parameters) *driver {
	provider := newProvider(p)
	d := &driver{
		client:        newClient(p, p.apiEndpoint(), provider),
		bucket:        p.Bucket,
		chunkSize:     int(p.ChunkSize),
		copyThreshold: p.CopyThreshold,
	}
	if endpoint := p.redirectEndpoint(); endpoint != nil {
		d.redirect = newClient(p, endpoint, provider)
	}
	if p.RootDirectory != "" {
		d.prefix = p.RootDirectory + "/"
	}
	switch {
	case p.EncryptionKeyID != "":
		d.encryption, d.encryptionKey = oss.Ptr("KMS"), oss.Ptr(p.EncryptionKeyID)
	case p.Encrypt:
		d.encryption = oss.Ptr("AES256")
	}
	return d
}

// key is the object key of a driver path.
func (d *driver) key(path string) string {
	return d.prefix + strings.TrimPrefix(path, "/")
}

// folder is the prefix of all keys below a driver path.
func (d *driver) folder(path string) string {
	if path == "/" {
		return d.prefix
	}
	return d.key(path) + "/"
}

// path is the driver path of an object key.
func (d *driver) path(key string) string {
	return "/" + strings.TrimPrefix(key, d.prefix)
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
	_, err := d.put(ctx, &oss.PutObjectRequest{Key: oss.Ptr(d.key(path)), Body: bytes.NewReader(content)})
	return err
}

// put writes a whole object, and returns its ETag.
func (d *driver) put(ctx context.Context, request *oss.PutObjectRequest) (string, error) {
	request.Bucket, request.ContentType = &d.bucket, oss.Ptr(contentType)
	request.ServerSideEncryption, request.ServerSideEncryptionKeyId = d.encryption, d.encryptionKey
	result, err := d.client.PutObject(ctx, request)
	if err != nil {
		return "", failed(ctx, "PutObject", oss.ToString(request.Key), err)
	}
	return oss.ToString(result.ETag), nil
}

func (d *driver) head(ctx context.Context, key string) (*oss.HeadObjectResult, error) {
	result, err := d.client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: &d.bucket, Key: &key})
	return result, failed(ctx, "HeadObject", key, err)
}

// Stat asks for the object and, if there is none, for anything below it.
func (d *driver) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	fields := storagedriver.FileInfoFields{Path: path}
	if path != "/" {
		object, err := d.head(ctx, d.key(path))
		if err == nil {
			fields.Size = object.ContentLength
			if object.LastModified != nil {
				fields.ModTime = *object.LastModified
			}
			return storagedriver.FileInfoInternal{FileInfoFields: fields}, nil
		}
		if !isMissing(err) {
			return nil, err
		}
	}
	page, err := d.list(ctx, &oss.ListObjectsV2Request{Prefix: oss.Ptr(d.folder(path)), MaxKeys: 1})
	if err != nil {
		return nil, err
	}
	if len(page.Contents) == 0 && path != "/" {
		return nil, storagedriver.PathNotFoundError{Path: path}
	}
	fields.IsDir = true
	return storagedriver.FileInfoInternal{FileInfoFields: fields}, nil
}

// RedirectURL presigns a download. Only GET and HEAD can be redirected.
func (d *driver) RedirectURL(r *http.Request, path string) (string, error) {
	if d.redirect == nil {
		return "", nil
	}
	key := d.key(path)
	var request any
	switch r.Method {
	case http.MethodGet:
		request = &oss.GetObjectRequest{Bucket: &d.bucket, Key: &key}
	case http.MethodHead:
		request = &oss.HeadObjectRequest{Bucket: &d.bucket, Key: &key}
	default:
		return "", nil
	}
	signed, err := d.redirect.Presign(r.Context(), request, oss.PresignExpires(redirectExpiry))
	if err != nil {
		return "", failed(r.Context(), "Presign", key, err)
	}
	return signed.URL, nil
}
