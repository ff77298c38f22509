package swift

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	ncw "github.com/ncw/swift/v2"
)

// recordVersion is the version of the format of upload records. In those of version 1 segments have no writers.
const recordVersion = 2

// upload is a file that is being written. Its record in the container is a line of JSON, followed by the last bytes
// if they are too few for a segment.
type upload struct {
	Version  int       `json:"version"`
	ID       string    `json:"upload"`
	Segments []segment `json:"segments"`

	tail []byte
	// etag is the ETag of the record, as it was read or written last.
	etag string
}

// next is the number of the segment to store next.
func (u *upload) next() int {
	if len(u.Segments) == 0 {
		return 1
	}
	return u.Segments[len(u.Segments)-1].Number + 1
}

func (u *upload) size() int64 {
	size := int64(len(u.tail))
	for _, s := range u.Segments {
		size += s.Size
	}
	return size
}

func (u *upload) encode() ([]byte, error) {
	line, err := json.Marshal(u)
	if err != nil {
		return nil, err
	}
	return append(append(line, '\n'), u.tail...), nil
}

func decodeUpload(record []byte) (*upload, error) {
	line, tail, found := bytes.Cut(record, []byte{'\n'})
	u := &upload{}
	if err := json.Unmarshal(line, u); err != nil || !found {
		return nil, fmt.Errorf("not an upload record")
	}
	if u.Version < 1 || u.Version > recordVersion || u.ID == "" {
		return nil, fmt.Errorf("upload record of version %d, which this driver doesn't know", u.Version)
	}
	u.Version, u.tail = recordVersion, tail
	return u, nil
}

func (d *driver) recordName(path string) string { return d.root + "uploads" + path }

// createUpload begins the upload of a file, discarding one that was begun before.
func (d *driver) createUpload(ctx context.Context, path string) (*upload, error) {
	u := &upload{Version: recordVersion, ID: rand.Text(), Segments: []segment{}}
	err := d.saveUpload(ctx, path, u, ncw.Headers{"If-None-Match": "*"})
	if hasStatus(err, http.StatusPreconditionFailed) {
		if _, err := d.discardUpload(ctx, d.recordName(path)); err != nil {
			return nil, err
		}
		err = d.saveUpload(ctx, path, u, ncw.Headers{})
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

func (d *driver) saveUpload(ctx context.Context, path string, u *upload, headers ncw.Headers) error {
	record, err := u.encode()
	if err != nil {
		return err
	}
	etag := checksum(record)
	headers["Content-Type"] = contentType
	headers["Etag"] = etag
	if _, err = d.client.do(ctx, request{method: http.MethodPut, object: d.recordName(path), headers: headers, body: record}); err != nil {
		return err
	}
	u.etag = etag
	return nil
}

// loadUpload reads a record. It asks all replicas, since records are overwritten.
func (d *driver) loadUpload(ctx context.Context, record string) (*upload, error) {
	resp, err := d.client.do(ctx, request{method: http.MethodGet, object: record, headers: ncw.Headers{"X-Newest": "true"}})
	if err != nil {
		return nil, err
	}
	u, err := decodeUpload(resp.content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", record, err)
	}
	u.etag = checksum(resp.content)
	return u, nil
}

// discardUpload deletes an upload that was not committed: its segments, then the claim that kept others from joining
// them, and then its record. It returns whether there was such an upload.
func (d *driver) discardUpload(ctx context.Context, record string) (found bool, err error) {
	u, err := d.loadUpload(ctx, record)
	if isNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	free, err := d.claimDiscarded(ctx, strings.TrimPrefix(record, d.root+"uploads"), u.ID)
	if err != nil {
		return true, err
	}
	if !free {
		// The segments belong to a file. The record was left behind, or written by a writer that came too late.
		return true, d.deleteObject(ctx, record)
	}
	names := make([]string, len(u.Segments))
	for i, s := range u.Segments {
		names[i] = d.segmentName(u.ID, s)
	}
	if err := d.deleteObjects(ctx, names); err != nil {
		return true, err
	}
	claim := d.claimName(u.ID)
	if err := d.sweep(ctx, u.ID, map[string]bool{claim: true}); err != nil {
		return true, err
	}
	if err := d.deleteObject(ctx, claim); err != nil {
		return true, err
	}
	return true, d.deleteObject(ctx, record)
}
