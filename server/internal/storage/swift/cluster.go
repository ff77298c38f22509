package swift

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
)

// cluster is what a Swift cluster tells about itself under /info.
type cluster struct {
	Swift struct {
		ContainerListingLimit int `json:"container_listing_limit"`
	} `json:"swift"`
	SLO *struct {
		MaxManifestSegments int `json:"max_manifest_segments"`
		MinSegmentSize      int `json:"min_segment_size"`
	} `json:"slo"`
	BulkDelete *struct {
		MaxDeletesPerRequest int `json:"max_deletes_per_request"`
	} `json:"bulk_delete"`
	TempURL *struct {
		Methods        []string `json:"methods"`
		AllowedDigests []string `json:"allowed_digests"`
	} `json:"tempurl"`
}

// limits are the cluster's limits that the driver has to keep.
type limits struct {
	listing  int // entries in one page of a listing
	segments int // entries in one manifest
	segment  int // bytes in a segment that is not the last
	bulk     int // names in one bulk delete; 0 when there is no bulk delete
}

// discover asks the cluster for its features. Operators may hide them; the features every Swift has are then taken
// to be there.
func (c *client) discover(ctx context.Context) (*cluster, error) {
	s, err := c.session(ctx)
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(s.url)
	if err != nil {
		return nil, fmt.Errorf("swift: the storage URL of the account: %w", err)
	}
	target.Path = path.Join(target.Path, "..", "..", "info")
	resp, err := c.do(ctx, request{method: http.MethodGet, target: target.String()})
	switch {
	case hasStatus(err, http.StatusNotFound), hasStatus(err, http.StatusForbidden), hasStatus(err, http.StatusUnauthorized):
		return nil, nil
	case err != nil:
		return nil, err
	}
	info := &cluster{}
	if err := json.Unmarshal(resp.content, info); err != nil {
		return nil, fmt.Errorf("swift: %s: %w", target, err)
	}
	if info.SLO == nil {
		return nil, errors.New("swift: the cluster has no static large objects (the slo middleware), which blobs are stored as")
	}
	return info, nil
}

// limits are the cluster's limits, with Swift's defaults for those it did not tell.
func (info *cluster) limits() limits {
	l := limits{listing: 10000, segments: 1000, segment: minChunkSize}
	if info == nil {
		return l
	}
	if n := info.Swift.ContainerListingLimit; n > 0 {
		l.listing = min(l.listing, n)
	}
	if n := info.SLO.MaxManifestSegments; n > 1 {
		l.segments = min(l.segments, n)
	}
	l.segment = max(l.segment, info.SLO.MinSegmentSize)
	if info.BulkDelete != nil {
		l.bulk = min(info.BulkDelete.MaxDeletesPerRequest, 1000)
	}
	return l
}
