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
	return d.move(ctx, source, d.key(destPath), version{oss.ToString(object.ETag), object.ContentLength})
}

// version identifies one version of an object that another one may replace.
type version struct {
	etag string
	size int64
}

// move moves only the given version of source.
func (d *driver) move(ctx context.Context, source, dest string, moved version) error {
	copied := d.copyParts
	if moved.size <= d.copyThreshold {
		copied = d.copyWhole
	}
	if err := copied(ctx, source, dest, moved); err != nil {
		return err
	}
	return d.deleteObject(ctx, source)
}

func (d *driver) copyWhole(ctx context.Context, source, dest string, moved version) error {
	_, err := d.client.CopyObject(ctx, &oss.CopyObjectRequest{
		Bucket:                    &d.bucket,
		Key:                       &dest,
		SourceKey:                 &source,
		IfMatch:                   &moved.etag,
		ServerSideEncryption:      d.encryption,
		ServerSideEncryptionKeyId: d.encryptionKey,
	})
	return failed(ctx, "CopyObject", dest, err)
}

// copyParts copies an object of any size, several parts at a time.
func (d *driver) copyParts(ctx context.Context, source, dest string, moved version) error {
	uploadID, err := d.initiate(ctx, dest)
	if err != nil {
		return err
	}
	parts, err := d.uploadCopies(ctx, source, dest, uploadID, moved)
	if err == nil {
		// OSS may give no checksum of copies. No other server knows this upload, so the size is enough.
		_, err = d.complete(ctx, dest, uploadID, parts, func(object *oss.HeadObjectResult) bool {
			return object.ContentLength == moved.size
		})
	}
	if err != nil {
		// The request may be over, but the parts must be deleted all the same.
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if abortErr := d.abort(cleanup, dest, uploadID); abortErr != nil {
			return fmt.Errorf("%w (and its parts are left behind: %v)", err, abortErr)
		}
	}
	return err
}

func (d *driver) uploadCopies(ctx context.Context, source, dest, uploadID string, moved version) ([]part, error) {
	partSize := max(copyPartSize, (moved.size+maxParts-1)/maxParts)
	parts := make([]part, (moved.size+partSize-1)/partSize)
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
		last := min(first+partSize, moved.size) - 1
		running.Go(func() {
			defer func() { <-slots }()
			result, err := d.client.UploadPartCopy(ctx, &oss.UploadPartCopyRequest{
				Bucket: &d.bucket, Key: &dest, UploadId: &uploadID, PartNumber: int32(i + 1),
				SourceKey: &source, IfMatch: &moved.etag, Range: oss.Ptr(fmt.Sprintf("bytes=%d-%d", first, last)),
			})
			if err != nil {
				cancel(failed(ctx, "UploadPartCopy", dest, err))
				return
			}
			parts[i] = part{number: int32(i + 1), etag: oss.ToString(result.ETag), size: last - first + 1}
		})
	}
	running.Wait()
	return parts, context.Cause(ctx)
}
