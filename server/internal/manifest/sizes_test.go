package manifest

import (
	"maps"
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
)

func TestSizes(t *testing.T) {
	for content, want := range map[string]map[digest.Digest][]int64{
		`{"config":{"digest":"c","size":1},"layers":[{"digest":"l","size":-2}]}`:    {"c": {1}, "l": {-2}},
		`{"config":{"digest":"c","size":2},"layers":[{"digest":"c","size":3}]}`:     {"c": {3, 2}},
		`{"manifests":[{"digest":"m","size":4},{"digest":"m","size":5}]}`:           {"m": {4, 5}},
		`{"config":{"digest":"c"},"layers":[{"digest":"l","size":null}]}`:           {"l": {0}},
		`{"config":{"digest":"c","size":9223372036854775808},"subject":{"size":1}}`: {},
		`{"layers":{}}`: {},
	} {
		if got := Sizes([]byte(content)); !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: %v", content, got)
		}
	}
}
