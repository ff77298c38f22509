package swift

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	ncw "github.com/ncw/swift/v2"

	"container-registry/server/internal/layout"
)

// Delete implements storagedriver.StorageDriver. It deletes the file at a path, or else the folder at it with
// everything in it, and the uploads that are not committed. If there is a file, nothing is listed: a garbage collection
// deletes many files. Uploads are deleted first. Those that must stay for now are found again through the engine's
// files in their folders.
func (d *driver) Delete(ctx context.Context, path string) error {
	if err := d.deleteFile(ctx, path); !isPathNotFound(err) {
		return err
	}
	uploads, err := d.deleteUploads(ctx, path)
	if err != nil {
		return err
	}
	inFolder, err := d.deleteFolder(ctx, path)
	if err != nil {
		return err
	}
	if !inFolder && !uploads {
		return storagedriver.PathNotFoundError{Path: path}
	}
	return nil
}

// deleteFile deletes the file at a path. Its segments are deleted first: if that fails, the file is left for another
// attempt. The file is emptied before that: Swift tells the size of a manifest without looking for its segments, and a
// blob that has lost some of them would be taken for the whole one. A dynamic large object needs no emptying: its size
// is that of the segments that are left.
func (d *driver) deleteFile(ctx context.Context, path string) error {
	obj, err := d.head(ctx, d.fileName(path))
	if err != nil {
		return notFound(path, err)
	}
	if obj.segmented() {
		set, err := d.segmentsOf(ctx, path, obj)
		if err != nil {
			return err
		}
		if set != nil && obj.slo {
			if err := d.putEmptied(ctx, path, set.upload); err != nil {
				return err
			}
		}
		if err := d.deleteSegments(ctx, set); err != nil {
			return err
		}
	}
	return d.deleteObject(ctx, d.fileName(path))
}

// deleteFolder deletes all files under a path and returns whether any were listed.
func (d *driver) deleteFolder(ctx context.Context, path string) (found bool, err error) {
	err = d.pages(ctx, query{prefix: d.folderPrefix(path)}, func(entries []entry) error {
		found = true
		var small []string
		for _, e := range entries {
			if !d.maybeLarge(e) {
				small = append(small, e.Name)
				continue
			}
			err := d.deleteLeft(ctx, strings.TrimPrefix(e.Name, d.root+"files"))
			if err != nil && !isPathNotFound(err) {
				return err
			}
		}
		return d.deleteObjects(ctx, small)
	})
	return found, err
}

// deleteLeft deletes a large file of a folder, unless another server may be about to move it. If that server copied the
// file while deleteFile is at work, the copy would be empty or lack its segments. A file that is not moved is deleted
// with old uploads.
func (d *driver) deleteLeft(ctx context.Context, path string) error {
	if layout.IsUpload(path) {
		obj, err := d.head(ctx, d.fileName(path))
		if err != nil {
			return notFound(path, err)
		}
		if obj.slo && time.Since(obj.modified) <= d.abandonment {
			return nil
		}
	}
	return d.deleteFile(ctx, path)
}

// maybeLarge says whether a listed object can have segments. Our manifests have at least one whole segment;
// those of dynamic large objects are listed as empty.
func (d *driver) maybeLarge(e entry) bool {
	return e.SLO != "" || e.Bytes == 0 || e.Bytes >= minChunkSize
}

// deleteUploads discards the uploads at a path and under it and returns whether there were any.
func (d *driver) deleteUploads(ctx context.Context, path string) (found bool, err error) {
	name := d.recordName(path)
	err = d.pages(ctx, query{prefix: name}, func(entries []entry) error {
		for _, e := range entries {
			if e.Name != name && !strings.HasPrefix(e.Name, name+"/") {
				continue
			}
			discarded, err := d.discardUpload(ctx, e.Name)
			found = found || discarded
			if err != nil {
				return err
			}
		}
		return nil
	})
	return found, err
}

// deleteObject deletes one object, if it is there. For a manifest, that leaves the segments.
func (d *driver) deleteObject(ctx context.Context, name string) error {
	_, err := d.tryDelete(ctx, name)
	return err
}

// tryDelete deletes one object and returns whether it was there.
func (d *driver) tryDelete(ctx context.Context, name string) (found bool, err error) {
	_, err = d.client.do(ctx, request{method: http.MethodDelete, object: name})
	if isNotFound(err) {
		return false, nil
	}
	return err == nil, err
}

// deleteObjects deletes those of the objects that exist, many with one request if the cluster can do that.
func (d *driver) deleteObjects(ctx context.Context, names []string) error {
	for len(names) > 0 {
		n := len(names)
		single := names
		if d.limits.bulk > 0 && len(names) > 1 {
			n = min(n, d.limits.bulk)
			var err error
			if single, err = d.bulkDelete(ctx, names[:n]); err != nil {
				return err
			}
		}
		// Objects that a bulk delete could not delete are tried again one by one, which also tells what is wrong.
		for _, name := range single {
			if err := d.deleteObject(ctx, name); err != nil {
				return err
			}
		}
		names = names[n:]
	}
	return nil
}

// bulkDelete deletes objects with one request and returns those it could not.
func (d *driver) bulkDelete(ctx context.Context, names []string) (failed []string, err error) {
	var body strings.Builder
	for _, name := range names {
		body.WriteString((&url.URL{Path: d.fullName(name)}).EscapedPath())
		body.WriteByte('\n')
	}
	resp, err := d.client.do(ctx, request{
		method: http.MethodPost, account: true, query: url.Values{"bulk-delete": {"1"}}, body: []byte(body.String()),
		headers: ncw.Headers{"Content-Type": "text/plain", "Accept": "application/json"},
	})
	if err != nil {
		return nil, err
	}
	// The status is 200 whatever happened: the answer begins before the work is done.
	var result struct {
		Status string      `json:"Response Status"`
		Body   string      `json:"Response Body"`
		Errors [][2]string `json:"Errors"`
	}
	if err := json.Unmarshal(resp.content, &result); err != nil {
		return nil, fmt.Errorf("answer to a bulk delete: %w", err)
	}
	for _, e := range result.Errors {
		full, err := url.PathUnescape(e[0])
		name, ours := strings.CutPrefix(full, d.fullName(""))
		if err != nil || !ours {
			return nil, fmt.Errorf("bulk delete of %s: %s", e[0], e[1])
		}
		failed = append(failed, name)
	}
	if len(failed) == 0 && !strings.HasPrefix(result.Status, "2") && !strings.HasPrefix(result.Status, "404") {
		return nil, errors.New(strings.TrimSpace("bulk delete: " + result.Status + " " + result.Body))
	}
	return failed, nil
}
