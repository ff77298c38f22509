package manifest

import (
	"encoding/json"
	"slices"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// types are the media types of what an index lists, except for the layers of BuildKit's caches.
var types = []string{
	v1.MediaTypeImageManifest,
	v1.MediaTypeImageIndex,
	"application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"",
}

// Layers returns the entries of an index that are not manifests.
func Layers(content []byte) []digest.Digest {
	var fields struct {
		Manifests []v1.Descriptor `json:"manifests"`
	}
	// An index that the engine accepted can be read as far as the engine reads it.
	_ = json.Unmarshal(content, &fields)
	var layers []digest.Digest
	for _, each := range fields.Manifests {
		if !slices.Contains(types, each.MediaType) {
			layers = append(layers, each.Digest)
		}
	}
	return layers
}
