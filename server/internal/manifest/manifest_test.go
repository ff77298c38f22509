package manifest

import (
	"slices"
	"testing"

	"github.com/opencontainers/go-digest"
)

func TestParse(t *testing.T) {
	const config = `"config":{"digest":"sha256:c"},"layers":[{"digest":"sha256:l"}]`
	known := []digest.Digest{"sha256:c", "sha256:l"}
	tests := []struct {
		name, content string
		// references is nil if the content is not a manifest.
		references []digest.Digest
		ok         bool
	}{
		{"an image", `{` + config + `}`, known, true},
		{"an index about another one", `{"manifests":[{"digest":"sha256:m"}],"subject":{"digest":"sha256:s"}}`, []digest.Digest{"sha256:m", "sha256:s"}, true},
		{"an artifact", `{"blobs":[{"digest":"sha256:b"}]}`, []digest.Digest{"sha256:b"}, true},
		{"schema 1", `{"fsLayers":[{"blobSum":"sha256:f"}]}`, []digest.Digest{"sha256:f"}, true},
		{"a subject of another type", `{"subject":"x",` + config + `}`, known, false},
		{"blobs of another type", `{"blobs":1,` + config + `}`, known, false},
		{"one blob of another type", `{"blobs":[1,{"digest":"sha256:b"}],` + config + `}`, append(slices.Clone(known), "", "sha256:b"), false},
		{"layers of schema 1 of another type", `{"fsLayers":{},` + config + `}`, known, false},
		{"cut off", `{` + config, nil, false},
		{"text", `"a manifest"`, nil, false},
		{"nothing", ``, nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := Parse([]byte(test.content))
			if (err == nil) != test.ok {
				t.Error(err)
			}
			if m == nil {
				if test.references != nil {
					t.Error("nothing was read")
				}
				return
			}
			if got := m.References(); !slices.Equal(got, test.references) {
				t.Errorf("got %q", got)
			}
		})
	}
}
