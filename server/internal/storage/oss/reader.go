package oss

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// maxReopens is how often in a row a download may break without a byte read.
const maxReopens = 3

func (d *driver) Reader(ctx context.Context, path string, offset int64) (io.ReadCloser, error) {
	key := d.key(path)
	result, err := d.get(ctx, key, offset, "")
	switch {
	case isMissing(err):
		return nil, storagedriver.PathNotFoundError{Path: path}
	case hasCode(err, "InvalidRange"):
		// The object ends at or before offset.
		return http.NoBody, nil
	case err != nil:
		return nil, err
	}
	return d.newReader(ctx, key, offset, result), nil
}

// get starts a download at offset. If etag is set, it gets only that version of the object.
func (d *driver) get(ctx context.Context, key string, offset int64, etag string) (*oss.GetObjectResult, error) {
	request := &oss.GetObjectRequest{Bucket: &d.bucket, Key: &key}
	if offset > 0 {
		request.Range = oss.Ptr(fmt.Sprintf("bytes=%d-", offset))
		// Otherwise OSS sends the whole object for a range past its end.
		request.RangeBehavior = oss.Ptr("standard")
	}
	if etag != "" {
		request.IfMatch = &etag
	}
	result, err := d.client.GetObject(ctx, request)
	return result, failed(ctx, "GetObject", key, err)
}

func (d *driver) newReader(ctx context.Context, key string, offset int64, result *oss.GetObjectResult) *reader {
	return &reader{ctx: ctx, d: d, key: key, offset: offset, etag: oss.ToString(result.ETag), body: result.Body}
}

// reader is a download that continues where it was when its connection breaks.
// The SDK retries only until the first byte of the body.
type reader struct {
	ctx     context.Context
	d       *driver
	key     string
	offset  int64
	etag    string
	body    io.ReadCloser
	reopens int
}

func (r *reader) Read(p []byte) (int, error) {
	for {
		// Bytes that have already arrived must not be read after the request's end.
		if r.ctx.Err() != nil {
			return 0, failed(r.ctx, "GetObject", r.key, context.Cause(r.ctx))
		}
		n, err := r.body.Read(p)
		r.offset += int64(n)
		if n > 0 {
			r.reopens = 0
		}
		if err == nil || err == io.EOF {
			return n, err
		}
		if err := r.reopen(err); err != nil {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
}

// reopen replaces the body, which ended with cause.
func (r *reader) reopen(cause error) error {
	if r.reopens == maxReopens {
		return failed(r.ctx, "GetObject", r.key, cause)
	}
	r.reopens++
	result, err := r.d.get(r.ctx, r.key, r.offset, r.etag)
	if err != nil {
		return err
	}
	r.body.Close()
	r.body = result.Body
	return nil
}

func (r *reader) Close() error { return r.body.Close() }
