package oss

import (
	"context"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
)

// part is an uploaded part.
type part struct {
	number int32
	etag   string
	size   int64
}

func (d *driver) initiate(ctx context.Context, key string) (string, error) {
	result, err := d.client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{
		Bucket:                    &d.bucket,
		Key:                       &key,
		ContentType:               oss.Ptr(contentType),
		ServerSideEncryption:      d.encryption,
		ServerSideEncryptionKeyId: d.encryptionKey,
	})
	if err != nil {
		return "", failed(ctx, "InitiateMultipartUpload", key, err)
	}
	return oss.ToString(result.UploadId), nil
}

// parts lists what an upload holds, in order.
func (d *driver) parts(ctx context.Context, key, uploadID string) ([]part, error) {
	var parts []part
	request := &oss.ListPartsRequest{Bucket: &d.bucket, Key: &key, UploadId: &uploadID}
	for {
		page, err := d.client.ListParts(ctx, request)
		if err != nil {
			return nil, failed(ctx, "ListParts", key, err)
		}
		for _, p := range page.Parts {
			parts = append(parts, part{p.PartNumber, oss.ToString(p.ETag), p.Size})
		}
		if !page.IsTruncated {
			return parts, nil
		}
		if page.NextPartNumberMarker <= request.PartNumberMarker {
			return nil, failed(ctx, "ListParts", key, noAnswer("the list does not go on"))
		}
		request.PartNumberMarker = page.NextPartNumberMarker
	}
}

// complete makes an object of size bytes out of parts.
func (d *driver) complete(ctx context.Context, key, uploadID string, parts []part, size int64) error {
	list := make([]oss.UploadPart, len(parts))
	for i, p := range parts {
		list[i] = oss.UploadPart{PartNumber: p.number, ETag: oss.Ptr(p.etag)}
	}
	_, err := d.client.CompleteMultipartUpload(ctx, &oss.CompleteMultipartUploadRequest{
		Bucket: &d.bucket, Key: &key, UploadId: &uploadID,
		CompleteMultipartUpload: &oss.CompleteMultipartUpload{Parts: list},
	})
	if hasCode(err, "NoSuchUpload") {
		// OSS goes on when the connection breaks, and then a retry finds the
		// upload gone: the object tells whether the first attempt got through.
		if object, headErr := d.head(ctx, key); headErr == nil && object.ContentLength == size {
			return nil
		}
	}
	return failed(ctx, "CompleteMultipartUpload", key, err)
}

// abort gives up an upload and its parts. One that is gone already is fine.
func (d *driver) abort(ctx context.Context, key, uploadID string) error {
	_, err := d.client.AbortMultipartUpload(ctx, &oss.AbortMultipartUploadRequest{Bucket: &d.bucket, Key: &key, UploadId: &uploadID})
	if hasCode(err, "NoSuchUpload") {
		return nil
	}
	return failed(ctx, "AbortMultipartUpload", key, err)
}
