package manifest

import (
	"encoding/json"
	"strconv"

	"github.com/opencontainers/go-digest"
)

// Sizes are what a manifest says of the bytes of what it needs, where it does: once for each time
// that it names it, as they may differ. Clients in Go read null as 0; what else is no number is
// the engine's to refuse.
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
	// What the engine took can be read as far as the engine reads it.
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
