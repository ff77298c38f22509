package swift

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	ncw "github.com/ncw/swift/v2"
)

// segmentSet is what has to be deleted together with a large object.
type segmentSet struct {
	upload string
	names  []string
}

// segmentsOf finds the segments of the object at a path. It returns nil if the object shares them with the one that it
// was to be moved to. The segments of an emptied file are known only by their upload.
func (d *driver) segmentsOf(ctx context.Context, path string, obj *object) (*segmentSet, error) {
	if obj.moving(path) {
		moved, err := d.head(ctx, d.fileName(obj.movedTo))
		if err != nil && !isNotFound(err) {
			return nil, err
		}
		if err == nil && moved.segmented() && moved.segmentsID() == obj.segmentsID() {
			return nil, nil
		}
	}
	set := &segmentSet{upload: obj.upload}
	if obj.slo {
		return set, d.addParts(ctx, set, d.fileName(path))
	}
	return set, d.addDynamic(ctx, set, obj.dlo)
}

// addParts adds what a manifest lists, and what the manifests in it list.
func (d *driver) addParts(ctx context.Context, set *segmentSet, name string) error {
	resp, err := d.client.do(ctx, request{
		method: http.MethodGet, object: name, query: url.Values{"multipart-manifest": {"get"}},
		headers: ncw.Headers{"X-Newest": "true"},
	})
	if isNotFound(err) {
		return nil // an earlier Delete got this far
	}
	if err != nil {
		return err
	}
	var listed []struct {
		Name   string `json:"name"`
		SubSLO bool   `json:"sub_slo"`
	}
	if err := json.Unmarshal(resp.content, &listed); err != nil {
		return fmt.Errorf("manifest of %s: %w", name, err)
	}
	for _, l := range listed {
		part, ours := strings.CutPrefix(l.Name, d.fullName(""))
		if !ours {
			continue // in a container other than ours
		}
		if l.SubSLO {
			if err := d.addParts(ctx, set, part); err != nil {
				return err
			}
		}
		set.names = append(set.names, part)
	}
	return nil
}

// addDynamic adds the segments of a dynamic large object, as the driver of distribution v2 wrote them.
func (d *driver) addDynamic(ctx context.Context, set *segmentSet, manifest string) error {
	manifest, err := url.PathUnescape(manifest)
	if err != nil {
		return fmt.Errorf("manifest %q: %w", manifest, err)
	}
	prefix, ours := strings.CutPrefix(manifest, d.client.container+"/")
	if !ours || prefix == "" {
		return nil
	}
	return d.pages(ctx, query{prefix: prefix}, func(entries []entry) error {
		for _, e := range entries {
			set.names = append(set.names, e.Name)
		}
		return nil
	})
}

// deleteSegments deletes a set, and everything else its upload has left.
func (d *driver) deleteSegments(ctx context.Context, set *segmentSet) error {
	if set == nil {
		return nil
	}
	if err := d.deleteObjects(ctx, set.names); err != nil {
		return err
	}
	if set.upload == "" {
		return nil
	}
	return d.sweep(ctx, set.upload, nil)
}

// sweep deletes all that is listed as segments of an upload, but for those to keep.
func (d *driver) sweep(ctx context.Context, upload string, keep map[string]bool) error {
	return d.pages(ctx, query{prefix: d.segmentPrefix(upload)}, func(entries []entry) error {
		var names []string
		for _, e := range entries {
			if !keep[e.Name] {
				names = append(names, e.Name)
			}
		}
		return d.deleteObjects(ctx, names)
	})
}
