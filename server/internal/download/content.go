package download

import (
	"context"
	"errors"
	"fmt"
	"io"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// content is a blob in a store. Nothing of it is read ahead.
type content struct {
	ctx    context.Context
	driver storagedriver.StorageDriver
	path   string
	size   int64

	offset int64
	open   io.ReadCloser
}

// Read ends early if the blob is gone. Whoever counts what is sent notices that.
func (c *content) Read(p []byte) (int, error) {
	if c.open == nil {
		open, err := c.driver.Reader(c.ctx, c.path, c.offset)
		if layout.IsMissing(err) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, err
		}
		c.open = open
	}
	n, err := c.open.Read(p)
	c.offset += int64(n)
	return n, err
}

// Seek must come before the first byte is read.
func (c *content) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += c.offset
	case io.SeekEnd:
		offset += c.size
	}
	if offset < 0 || c.open != nil {
		return c.offset, fmt.Errorf("seek to %d of %s: %w", offset, c.path, errors.ErrUnsupported)
	}
	c.offset = offset
	return offset, nil
}

func (c *content) close() {
	if c.open != nil {
		_ = c.open.Close()
	}
}
