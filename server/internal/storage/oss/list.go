package oss

import (
	"context"
	"iter"
	"strings"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// pageSize is the largest number of objects that OSS lists or deletes in one request.
const pageSize = 1000

func (d *driver) list(ctx context.Context, request *oss.ListObjectsV2Request) (*oss.ListObjectsV2Result, error) {
	request.Bucket = &d.bucket
	page, err := d.client.ListObjectsV2(ctx, request)
	if err == nil && page.Name == nil {
		// The SDK takes any XML for a list, and an empty answer for the end of one.
		err = noAnswer("the list has no name")
	}
	if err == nil && page.IsTruncated && oss.ToString(page.NextContinuationToken) == "" {
		// Without a token, the list would begin anew, forever.
		err = noAnswer("the list breaks off")
	}
	return page, failed(ctx, "ListObjectsV2", oss.ToString(request.Prefix), err)
}

// pages lists all keys with prefix, page by page. With delimiter "/" keys in
// folders are folded into the folders' prefixes.
func (d *driver) pages(ctx context.Context, prefix, delimiter string) iter.Seq2[*oss.ListObjectsV2Result, error] {
	return func(yield func(*oss.ListObjectsV2Result, error) bool) {
		request := &oss.ListObjectsV2Request{Prefix: &prefix, MaxKeys: pageSize}
		if delimiter != "" {
			request.Delimiter = &delimiter
		}
		for {
			page, err := d.list(ctx, request)
			if !yield(page, err) || err != nil || !page.IsTruncated {
				return
			}
			request.ContinuationToken = page.NextContinuationToken
		}
	}
}

// isFile tells whether a listed key is a file of the driver. The others are
// records of uploads and the empty objects a console makes for folders.
func isFile(key string) bool {
	return !isRecord(key) && !strings.HasSuffix(key, "/")
}

func (d *driver) List(ctx context.Context, path string) ([]string, error) {
	children := []string{}
	for page, err := range d.pages(ctx, d.folder(path), "/") {
		if err != nil {
			return nil, err
		}
		for _, object := range page.Contents {
			if key := oss.ToString(object.Key); isFile(key) {
				children = append(children, d.path(key))
			}
		}
		for _, folder := range page.CommonPrefixes {
			children = append(children, d.path(strings.TrimSuffix(oss.ToString(folder.Prefix), "/")))
		}
	}
	if len(children) == 0 && path != "/" {
		return nil, storagedriver.PathNotFoundError{Path: path}
	}
	return children, nil
}
