package oss

import (
	"context"
	"fmt"
	"sync"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

const (
	copyPartSize = 64 * mib
	copyParallel = 4
)

// Move copies inside OSS, since it has no rename, and then deletes the source.
func (d *driver) Move(ctx context.Context, sourcePath, destPath string) error {
	source := d.key(sourcePath)
	object, err := d.head(ctx, source)
	if isMissing(err) {
		return storagedriver.PathNotFoundError{Path: sourcePath}
	}
	if err != nil {
		return err
	}
	if sourcePath == destPath {
		return nil
	}
	if object.ContentLength <= d.copyThreshold {
		err = d.copyWhole(ctx, source, d.key(destPath))
	} else {
		err = d.copyParts(ctx, source, d.key(destPath), object)
	}
	if err != nil {
		return err
	}
	return d.deleteObject(ctx, source)
}

func (d *driver) copyWhole(ctx context.Context, source, dest string) error {
	_, err := d.client.CopyObject(ctx, &oss.CopyObjectRequest{
		Bucket:                    &d.bucket,
		Key:                       &dest,
		SourceKey:                 &source,
		ServerSideEncryption:      d.encryption,
		ServerSideEncryptionKeyId: d.encryptionKey,
	})
	return failed(ctx, "CopyObject", dest, err)
}

// copyParts copies an object of any size, several parts at a time.
func (d *driver) copyParts(ctx context.Context, source, dest string, object *oss.HeadObjectResult) error {
	uploadID, err := d.initiate(ctx, dest)
	if err != nil {
		return err
	}
	parts, err := d.uploadCopies(ctx, source, dest, uploadID, object)
	if err == nil {
		err = d.complete(ctx, dest, uploadID, parts, object.ContentLength)
	}
	if err != nil {
		// The request may be over; the parts must go all the same.
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if abortErr := d.abort(cleanup, dest, uploadID); abortErr != nil {
			return fmt.Errorf("%w (and its parts are left behind: %v)", err, abortErr)
		}
	}
	return err
}

func (d *driver) uploadCopies(ctx context.Context, source, dest, uploadID string, object *oss.HeadObjectResult) ([]part, error) {
	size := object.ContentLength
	partSize := max(copyPartSize, (size+maxParts-1)/maxParts)
	parts := make([]part, (size+partSize-1)/partSize)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, copyParallel)
	var running sync.WaitGroup
	for i := range parts {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		first := int64(i) * partSize
		last := min(first+partSize, size) - 1
		running.Go(func() {
			defer func() { <-slots }()
			result, err := d.client.UploadPartCopy(ctx, &oss.UploadPartCopyRequest{
				Bucket: &d.bucket, Key: &dest, UploadId: &uploadID, PartNumber: int32(i + 1),
				SourceKey: &source, IfMatch: object.ETag, Range: oss.Ptr(fmt.Sprintf("bytes=%d-%d", first, last)),
			})
			if err != nil {
				cancel(failed(ctx, "UploadPartCopy", dest, err))
				return
			}
			parts[i] = part{int32(i + 1), oss.ToString(result.ETag), last - first + 1}
		})
	}
	running.Wait()
	return parts, context.Cause(ctx)
}
