package inventory

import (
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"
)

// findVague looks at layers that a manifest names by another algorithm than the engine keeps bytes by:
// which bytes they are, only a link tells. Where that is gone or damaged, each layer of the repository
// may be meant.
func (i *Inventory) findVague() {
	lacks := map[string]lack{}
	for _, r := range i.Repositories {
		for d := range r.Revisions {
			for _, part := range i.Manifests[d].Blobs {
				// The most by far are of the engine's, and take no longer look.
				if strings.HasPrefix(string(part), digest.Canonical.String()+":") || part.Validate() != nil {
					continue
				}
				known := i.isKnown(part)
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
}

// isKnown says whether it can be told by which bytes a layer is kept.
func (i *Inventory) isKnown(layer digest.Digest) bool {
	_, alias := i.Aliases[layer]
	_, there := i.Blobs[layer]
	return alias || there
}
