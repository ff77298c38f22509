package manifest

import (
	"encoding/json"
	"strconv"

	"github.com/opencontainers/go-digest"
)

// Sizes returns the sizes that a manifest states for the blobs and manifests it needs: one for each time
// that it names a digest, because they may differ. Clients in Go read null as 0; any other value that is
// not a number is left for the engine to refuse.
func Sizes(content []byte) map[digest.Digest][]int64 {
	type sized struct {
		Digest digest.Digest   `json:"digest"`
		Size   json.RawMessage `json:"size"`
	}
	var fields struct {
		Config    sized   `json:"config"`
		Layers    []sized `json:"layers"`
		Manifests []sized `json:"manifests"`
	}
	// A manifest that the engine accepted can be read as far as the engine reads it.
	_ = json.Unmarshal(content, &fields)
	sizes := map[digest.Digest][]int64{}
	for _, each := range append(append(fields.Layers, fields.Manifests...), fields.Config) {
		if string(each.Size) == "null" {
			each.Size = json.RawMessage("0")
		}
		if size, err := strconv.ParseInt(string(each.Size), 10, 64); err == nil {
			sizes[each.Digest] = append(sizes[each.Digest], size)
		}
	}
	return sizes
}
