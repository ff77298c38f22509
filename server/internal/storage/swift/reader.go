package swift

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	ncw "github.com/ncw/swift/v2"
)

// reader streams a file. When the stream breaks, it is opened again where it broke: a layer of many gigabytes
// should not be lost to one proxy that restarts.
type reader struct {
	driver *driver
	ctx    context.Context
	path   string
	newest bool

	body     io.ReadCloser // nil past the end of the file
	err      error         // that ended the reader
	offset   int64
	etag     string // of the object that was opened first
	failures int    // of the stream since the last byte
}

func (d *driver) newReader(ctx context.Context, path string, offset int64, newest bool) *reader {
	return &reader{driver: d, ctx: ctx, path: path, offset: offset, newest: newest}
}

// open opens the stream at the reader's offset.
func (r *reader) open() error {
	headers := ncw.Headers{}
	if r.offset > 0 {
		headers["Range"] = fmt.Sprintf("bytes=%d-", r.offset)
	}
	if r.newest {
		headers["X-Newest"] = "true"
	}
	if r.etag != "" {
		// The rest must not come from another object that has replaced the first one.
		headers["If-Match"] = r.etag
	}
	resp, err := r.driver.client.do(r.ctx, request{
		method: http.MethodGet, object: r.driver.fileName(r.path), headers: headers, stream: true,
	})
	if hasStatus(err, http.StatusRequestedRangeNotSatisfiable) {
		return nil
	}
	if err != nil {
		return notFound(r.path, err)
	}
	r.body, r.etag = resp.body, resp.headers["Etag"]
	return nil
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	for {
		if r.err != nil {
			return 0, r.err
		}
		if r.body == nil {
			return 0, io.EOF
		}
		n, err := r.body.Read(p)
		r.offset += int64(n)
		if n > 0 {
			r.failures = 0
		}
		if err == nil || errors.Is(err, io.EOF) {
			return n, err
		}
		r.err = r.reopen(err)
		if n > 0 {
			return n, nil
		}
	}
}

// reopen opens the stream again after it broke.
func (r *reader) reopen(cause error) error {
	r.body.Close()
	r.body = nil
	r.failures++
	retry := r.driver.client.retry
	if r.failures >= retry.attempts {
		return fmt.Errorf("reading %s at byte %d: %w", r.path, r.offset, cause)
	}
	if err := retry.pause(r.ctx, r.failures); err != nil {
		return err
	}
	if err := r.open(); err != nil {
		if isPathNotFound(err) {
			return fmt.Errorf("reading %s at byte %d: deleted meanwhile", r.path, r.offset)
		}
		return err
	}
	return nil
}

// Close implements io.Closer.
func (r *reader) Close() error {
	if r.body == nil {
		return nil
	}
	return r.body.Close()
}
