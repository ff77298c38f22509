package oss

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// Delete removes path and everything below it, uploads in progress included:
// the parts of an upload cost money and show up in no listing of objects.
func (d *driver) Delete(ctx context.Context, path string) error {
	key := d.key(path)
	found, err := d.abortUploads(ctx, key)
	if err != nil {
		return err
	}
	for page, err := range d.pages(ctx, key+"/", "") {
		if err != nil {
			return err
		}
		keys := make([]string, len(page.Contents))
		for i, object := range page.Contents {
			keys[i] = oss.ToString(object.Key)
		}
		if len(keys) > 0 {
			found = true
			if err := d.deleteObjects(ctx, keys); err != nil {
				return err
			}
		}
	}
	var own []string
	if !found {
		if own, err = d.existing(ctx, key, key+recordSuffix); err != nil {
			return err
		}
		if len(own) == 0 {
			return storagedriver.PathNotFoundError{Path: path}
		}
	}
	return d.deleteObjects(ctx, own, key, key+recordSuffix)
}

// existing returns those of the keys that are objects.
func (d *driver) existing(ctx context.Context, keys ...string) ([]string, error) {
	var found []string
	for _, key := range keys {
		_, err := d.head(ctx, key)
		if err == nil {
			found = append(found, key)
		} else if !isMissing(err) {
			return nil, err
		}
	}
	return found, nil
}

// deleteObjects removes objects that exist, and others that may: up to pageSize
// in all.
func (d *driver) deleteObjects(ctx context.Context, existing []string, perhaps ...string) error {
	var objects []oss.DeleteObject
	for _, key := range slices.Concat(existing, perhaps) {
		objects = append(objects, oss.DeleteObject{Key: &key})
	}
	result, err := d.client.DeleteMultipleObjects(ctx, &oss.DeleteMultipleObjectsRequest{
		Bucket: &d.bucket,
		Delete: &oss.Delete{Objects: objects},
	})
	if err != nil {
		return failed(ctx, "DeleteMultipleObjects", "", err)
	}
	// The answer lists the objects that are gone. It does not mention the rest, and may leave out keys that never existed.
	gone := make(map[string]bool, len(result.DeletedObjects))
	for _, deleted := range result.DeletedObjects {
		gone[oss.ToString(deleted.Key)] = true
	}
	isGone := func(key string) bool { return gone[key] }
	left := slices.DeleteFunc(slices.Clone(existing), isGone)
	if len(left) == 0 {
		if left, err = d.existing(ctx, slices.DeleteFunc(perhaps, isGone)...); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		return failed(ctx, "DeleteMultipleObjects", left[0], errors.New("the object was not deleted"))
	}
	return nil
}

// abortUploads gives up the uploads to key and below it, and tells whether
// there were any.
func (d *driver) abortUploads(ctx context.Context, key string) (bool, error) {
	found := false
	request := &oss.ListMultipartUploadsRequest{Bucket: &d.bucket, Prefix: &key, MaxUploads: pageSize}
	for {
		page, err := d.client.ListMultipartUploads(ctx, request)
		if err != nil {
			return found, failed(ctx, "ListMultipartUploads", key, err)
		}
		for _, upload := range page.Uploads {
			uploadKey := oss.ToString(upload.Key)
			if uploadKey != key && !strings.HasPrefix(uploadKey, key+"/") {
				continue
			}
			found = true
			if err := d.abort(ctx, uploadKey, oss.ToString(upload.UploadId)); err != nil {
				return found, err
			}
		}
		if !page.IsTruncated {
			return found, nil
		}
		if oss.ToString(page.NextKeyMarker) == "" {
			return found, failed(ctx, "ListMultipartUploads", key, noAnswer("the list breaks off"))
		}
		request.KeyMarker, request.UploadIdMarker = page.NextKeyMarker, page.NextUploadIdMarker
	}
}
