package inventory

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/distribution/v3/manifest/schema2"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"container-registry/server/internal/layout"
)

// findVague looks at layers that a manifest names by a digest of another algorithm than the one by which the
// engine keeps bytes. Only a link tells which bytes these are. If that is gone or damaged, any layer of the
// repository may be meant.
func (i *Inventory) findVague(ctx context.Context) error {
	lacks := map[string]lack{}
	for _, r := range i.Repositories {
		for d := range r.Revisions {
			for _, part := range i.Manifests[d].Blobs {
				// By far the most have the engine's algorithm. For them this cheap check is enough.
				if strings.HasPrefix(string(part), digest.Canonical.String()+":") || part.Validate() != nil {
					continue
				}
				known := i.isKnown(part)
				if !known && !r.damaged[part] {
					if foreign, err := i.isForeign(ctx, d, part); err != nil {
						return err
					} else if foreign {
						continue
					}
				}
				r.Vague = r.Vague || !known
				if known && !r.damaged[part] {
					continue
				}
				what := fmt.Sprintf("the link to %s in %s is gone or damaged", part, r.Name)
				if !known {
					what += ", so it cannot be told which layer is meant; all layers of the repository are kept"
				}
				lacks[what] = lacks[what].and(r.Name + "@" + d.String())
			}
		}
	}
	for what, l := range lacks {
		i.problem("%s; %s", what, l)
	}
	return nil
}

// isKnown says whether it is known which bytes a layer is kept as.
func (i *Inventory) isKnown(layer digest.Digest) bool {
	_, alias := i.Aliases[layer]
	_, there := i.Blobs[layer]
	return alias || there
}

// isForeign says whether a layer need not be in the registry, because its manifest says where else it is.
// These are the only layers that the engine does not look for.
func (i *Inventory) isForeign(ctx context.Context, d, layer digest.Digest) (bool, error) {
	content, err := layout.Read(ctx, i.driver, layout.BlobPath(d))
	if layout.IsMissing(err) {
		return false, nil
	}
	var fields struct{ Layers []v1.Descriptor }
	// Even with an error, fields has what could be read.
	_ = json.Unmarshal(content, &fields)
	return slices.ContainsFunc(fields.Layers, func(each v1.Descriptor) bool {
		kind := strings.TrimSuffix(each.MediaType, "+gzip")
		return each.Digest == layer && len(each.URLs) > 0 &&
			(each.MediaType == schema2.MediaTypeForeignLayer || kind == "application/vnd.oci.image.layer.nondistributable.v1.tar")
	}), err
}
