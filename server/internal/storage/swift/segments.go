package swift

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	ncw "github.com/ncw/swift/v2"
)

const (
	// uploadHeader is on every manifest, and on an emptied file: the id of the upload, which its segments are named
	// after.
	uploadHeader = "X-Object-Meta-Registry-Upload"
	// movedToHeader is on the manifest of a file that is being moved, and on the moved one.
	movedToHeader = "X-Object-Meta-Registry-Moved-To"
)

// segment is one stored piece of an upload.
type segment struct {
	Number int    `json:"n"`
	Size   int64  `json:"size"`
	ETag   string `json:"etag"`
	// Writer is the ID of the writer that stored the segment. Segments of record version 1 have none.
	Writer string `json:"writer,omitempty"`
}

func (d *driver) segmentPrefix(upload string) string { return d.root + "segments/" + upload + "/" }

func (d *driver) segmentName(upload string, s segment) string {
	name := fmt.Sprintf("%s%08d", d.segmentPrefix(upload), s.Number)
	if s.Writer != "" {
		name += "-" + s.Writer
	}
	return name
}

func checksum(content []byte) string {
	sum := md5.Sum(content)
	return hex.EncodeToString(sum[:])
}

// putSegment stores a segment. Only its writer uses its name: an object that already has it is from an attempt whose
// answer was lost.
//
// A failed attempt may still read the content for some time. Only if free is true, nothing reads it any more.
func (d *driver) putSegment(ctx context.Context, upload string, s segment, content []byte) (free bool, _ error) {
	name := d.segmentName(upload, s)
	resp, err := d.client.do(ctx, request{
		method: http.MethodPut, object: name, body: content,
		headers: ncw.Headers{"Content-Type": contentType, "Etag": s.ETag, "If-None-Match": "*"},
	})
	if err == nil {
		return resp.attempts == 1, nil
	}
	if !hasStatus(err, http.StatusPreconditionFailed) {
		return false, err
	}
	obj, err := d.head(ctx, name)
	if err == nil && (obj.etag != s.ETag || obj.size != s.Size) {
		err = fmt.Errorf("%s is there with other content", name)
	}
	return false, err
}

// part is one entry of a manifest that is being written.
type part struct {
	Path string `json:"path"`
	ETag string `json:"etag"`
	Size int64  `json:"size_bytes"`
}

// putManifest joins the segments of an upload to the file at a path, replacing what was there.
func (d *driver) putManifest(ctx context.Context, path string, u *upload) error {
	parts := make([]part, len(u.Segments))
	for i, s := range u.Segments {
		parts[i] = part{Path: d.fullName(d.segmentName(u.ID, s)), ETag: s.ETag, Size: s.Size}
	}
	// A manifest has room for a limited number of entries, but entries may be manifests themselves.
	for level := 1; len(parts) > d.limits.segments; level++ {
		var joined []part
		for i := 0; i < len(parts); i += d.limits.segments {
			group := parts[i:min(i+d.limits.segments, len(parts))]
			name := fmt.Sprintf("%sjoined-%d-%08d", d.segmentPrefix(u.ID), level, len(joined)+1)
			etag, err := d.putParts(ctx, name, group, nil)
			if err != nil {
				return err
			}
			joined = append(joined, part{Path: d.fullName(name), ETag: etag, Size: sizeOf(group)})
		}
		parts = joined
	}
	if err := d.untaken(ctx, path, func(obj *object) bool { return obj.upload == u.ID }); err != nil {
		return err
	}
	return d.replace(ctx, path, u.ID, func() error {
		_, err := d.putParts(ctx, d.fileName(path), parts, ncw.Headers{uploadHeader: u.ID})
		return err
	})
}

func (d *driver) putParts(ctx context.Context, name string, parts []part, headers ncw.Headers) (etag string, err error) {
	body, err := json.Marshal(parts)
	if err != nil {
		return "", err
	}
	all := ncw.Headers{"Content-Type": contentType}
	for key, value := range headers {
		all[key] = value
	}
	resp, err := d.client.do(ctx, request{
		method: http.MethodPut, object: name, query: url.Values{"multipart-manifest": {"put"}}, headers: all, body: body,
	})
	if err != nil {
		return "", err
	}
	return resp.headers["Etag"], nil
}

func sizeOf(parts []part) int64 {
	var size int64
	for _, p := range parts {
		size += p.Size
	}
	return size
}

// fullName is how manifests name an object.
func (d *driver) fullName(name string) string { return "/" + d.client.container + "/" + name }

// putPlain stores content as one object at a path, replacing what was there.
func (d *driver) putPlain(ctx context.Context, path string, content []byte) error {
	headers := ncw.Headers{"Content-Type": contentType, "Etag": checksum(content), "If-None-Match": "*"}
	put := request{method: http.MethodPut, object: d.fileName(path), headers: headers, body: content}
	_, err := d.client.do(ctx, put)
	if !hasStatus(err, http.StatusPreconditionFailed) {
		return err
	}
	if err := d.untaken(ctx, path, func(obj *object) bool { return obj.etag == headers["Etag"] }); err != nil {
		return err
	}
	// Most files are new. Only for the others is it worth asking whether segments have to be deleted.
	delete(headers, "If-None-Match")
	return d.replace(ctx, path, "", func() error {
		_, err := d.client.do(ctx, put)
		return err
	})
}

// putEmptied puts an empty file in the place of a manifest whose segments are about to be deleted. The file has the id
// of their upload, so that segments that were not deleted after all can be found again.
func (d *driver) putEmptied(ctx context.Context, path, upload string) error {
	_, err := d.client.do(ctx, request{
		method: http.MethodPut, object: d.fileName(path),
		headers: ncw.Headers{"Content-Type": contentType, uploadHeader: upload},
	})
	return err
}

// replace calls write, which puts another object at a path, and then deletes the segments of the previous object,
// unless they belong to the upload that the new object is made of.
func (d *driver) replace(ctx context.Context, path, upload string, write func() error) error {
	var old *segmentSet
	obj, err := d.head(ctx, d.fileName(path))
	switch {
	case isNotFound(err):
	case err != nil:
		return err
	case obj.segmented() && obj.segmentsID() != upload:
		if old, err = d.segmentsOf(ctx, path, obj); err != nil {
			return err
		}
	}
	if err := write(); err != nil {
		return err
	}
	return d.deleteSegments(ctx, old)
}

// segmentsID identifies an object's set of segments.
func (o *object) segmentsID() string {
	switch {
	case o.upload != "":
		return o.upload
	case o.slo:
		return "slo:" + o.etag
	default:
		return "dlo:" + o.dlo
	}
}
