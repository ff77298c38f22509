package oss

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
)

// recordSuffix makes the key of an upload's record from the key of its path.
// The tilde cannot occur in a driver path.
const recordSuffix = "~upload"

const (
	metaUploadID = "upload-id"
	metaOffset   = "offset"
)

// record is the state of an upload between two writers, kept as an object.
//
// OSS accepts no part below 100 KiB except the last, and no part can be read
// back. So the bytes that do not fill a part wait in the record's body.
type record struct {
	// uploadID is the ID of the multipart upload, "" if none was needed so far.
	uploadID string
	// offset is where tail begins: the size of all parts when the record was
	// written. If there are parts beyond offset by now, they begin with tail.
	offset int64
	tail   []byte
}

func isRecord(key string) bool { return strings.HasSuffix(key, recordSuffix) }

func (d *driver) saveRecord(ctx context.Context, key string, r record) error {
	_, err := d.put(ctx, &oss.PutObjectRequest{
		Key:      oss.Ptr(key + recordSuffix),
		Metadata: map[string]string{metaUploadID: r.uploadID, metaOffset: strconv.FormatInt(r.offset, 10)},
		Body:     bytes.NewReader(r.tail),
	})
	return err
}

// loadRecord returns nil if there is no record for key.
func (d *driver) loadRecord(ctx context.Context, key string) (*record, error) {
	result, err := d.get(ctx, key+recordSuffix, 0, "")
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	body := d.newReader(ctx, key+recordSuffix, 0, result)
	defer body.Close()
	tail, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	offset, err := strconv.ParseInt(result.Metadata[metaOffset], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%s%s is not the record of an upload", key, recordSuffix)
	}
	return &record{uploadID: result.Metadata[metaUploadID], offset: offset, tail: tail}, nil
}

func (d *driver) deleteRecord(ctx context.Context, key string) error {
	return d.deleteObject(ctx, key+recordSuffix)
}

// discard gives up the upload to key, with its record and its parts, if any.
func (d *driver) discard(ctx context.Context, key, uploadID string) error {
	if uploadID != "" {
		if err := d.abort(ctx, key, uploadID); err != nil {
			return err
		}
	}
	return d.deleteRecord(ctx, key)
}

func (d *driver) deleteObject(ctx context.Context, key string) error {
	_, err := d.client.DeleteObject(ctx, &oss.DeleteObjectRequest{Bucket: &d.bucket, Key: &key})
	return failed(ctx, "DeleteObject", key, err)
}
