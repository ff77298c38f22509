package swift

import (
	"encoding/json"
	"reflect"
	"testing"

	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
)

func TestLimits(t *testing.T) {
	for name, test := range map[string]struct {
		info string
		want limits
	}{
		"hidden":       {"", limits{listing: 10000, segments: 1000, segment: 1 << 20}},
		"silent":       {`{"slo":{}}`, limits{listing: 10000, segments: 1000, segment: 1 << 20}},
		"Swift 2.30":   {`{"swift":{"container_listing_limit":10000},"slo":{"max_manifest_segments":1000,"min_segment_size":1},"bulk_delete":{"max_deletes_per_request":10000}}`, limits{10000, 1000, 1 << 20, 1000}},
		"narrow":       {`{"swift":{"container_listing_limit":100},"slo":{"max_manifest_segments":50,"min_segment_size":2097152},"bulk_delete":{"max_deletes_per_request":20}}`, limits{100, 50, 2 << 20, 20}},
		"wide":         {`{"swift":{"container_listing_limit":99999},"slo":{"max_manifest_segments":5000}}`, limits{listing: 10000, segments: 1000, segment: 1 << 20}},
		"nonsense":     {`{"slo":{"max_manifest_segments":1}}`, limits{listing: 10000, segments: 1000, segment: 1 << 20}},
		"no bulk size": {`{"slo":{},"bulk_delete":{}}`, limits{listing: 10000, segments: 1000, segment: 1 << 20}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := parseCluster(t, test.info).limits(); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func parseCluster(t *testing.T, info string) *cluster {
	t.Helper()
	if info == "" {
		return nil
	}
	c := &cluster{}
	if err := json.Unmarshal([]byte(info), c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDigest(t *testing.T) {
	for name, test := range map[string]struct {
		info string
		size int
	}{
		"hidden":         {"", sha256.Size},
		"Swift 2.30":     {`{"tempurl":{"allowed_digests":["sha1","sha256","sha512"]}}`, sha256.Size},
		"only strong":    {`{"tempurl":{"allowed_digests":["sha512"]}}`, sha512.Size},
		"before choices": {`{"tempurl":{"methods":["GET"]}}`, sha1.Size},
	} {
		t.Run(name, func(t *testing.T) {
			if size := parseCluster(t, test.info).digest()().Size(); size != test.size {
				t.Errorf("digest of %d bytes, want %d", size, test.size)
			}
		})
	}
}

func TestRedirectMethods(t *testing.T) {
	for name, test := range map[string]struct {
		wanted []string
		info   string
		want   []string
	}{
		"all":              {nil, "", []string{"GET", "HEAD"}},
		"some":             {[]string{"GET", "PUT"}, "", []string{"GET"}},
		"none":             {[]string{"PUT"}, "", nil},
		"cluster has less": {nil, `{"tempurl":{"methods":["GET","PUT"]}}`, []string{"GET"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := redirectMethods(&Options{TempURLMethods: test.wanted}, parseCluster(t, test.info))
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
