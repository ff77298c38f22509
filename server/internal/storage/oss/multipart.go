package oss

import (
	"context"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
)

// part is an uploaded part.
type part struct {
	number int32
	etag   string
	size   int64
	// crc is the CRC-64 that OSS reports, if it does.
	crc string
}

// crcOf is the CRC-64 that OSS reports for an object made of these parts, or "" if that can't be told.
func crcOf(parts []part) string {
	sum := uint64(0)
	for _, p := range parts {
		crc, err := strconv.ParseUint(p.crc, 10, 64)
		if err != nil {
			return ""
		}
		sum = oss.CRC64Combine(sum, crc, uint64(p.size))
	}
	return strconv.FormatUint(sum, 10)
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
			parts = append(parts, part{p.PartNumber, oss.ToString(p.ETag), p.Size, oss.ToString(p.HashCRC64)})
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

// complete makes an object out of parts, and returns its ETag.
func (d *driver) complete(ctx context.Context, key, uploadID string, parts []part, isMade isObject) (string, error) {
	list := make([]oss.UploadPart, len(parts))
	for i, p := range parts {
		list[i] = oss.UploadPart{PartNumber: p.number, ETag: oss.Ptr(p.etag)}
	}
	var tries atomic.Int32
	counted := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { tries.Add(1) },
	})
	result, err := d.client.CompleteMultipartUpload(counted, &oss.CompleteMultipartUploadRequest{
		Bucket: &d.bucket, Key: &key, UploadId: &uploadID,
		CompleteMultipartUpload: &oss.CompleteMultipartUpload{Parts: list},
	})
	switch {
	case err == nil:
		return oss.ToString(result.ETag), nil
	case hasCode(err, "NoSuchUpload") && tries.Load() > 1:
		// OSS goes on when the connection breaks, and then a retry finds the upload gone.
		return d.madeBefore(ctx, key, failed(ctx, "CompleteMultipartUpload", key, err), isMade)
	}
	return "", failed(ctx, "CompleteMultipartUpload", key, err)
}

// isObject says whether an object is the one that was to be made.
type isObject func(*oss.HeadObjectResult) bool

// madeBefore is for a refusal that may be due to an earlier attempt whose answer was lost: the object tells.
func (d *driver) madeBefore(ctx context.Context, key string, refusal error, isMade isObject) (string, error) {
	object, err := d.head(ctx, key)
	switch {
	case err == nil && isMade(object):
		return oss.ToString(object.ETag), nil
	case err == nil || isMissing(err):
		return "", refusal
	}
	return "", err
}

// abort gives up an upload and its parts. It succeeds if the upload is already gone.
func (d *driver) abort(ctx context.Context, key, uploadID string) error {
	_, err := d.client.AbortMultipartUpload(ctx, &oss.AbortMultipartUploadRequest{Bucket: &d.bucket, Key: &key, UploadId: &uploadID})
	if hasCode(err, "NoSuchUpload") {
		return nil
	}
	return failed(ctx, "AbortMultipartUpload", key, err)
}
