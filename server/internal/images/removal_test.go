package images

import (
	"fmt"
	"testing"

	"github.com/opencontainers/go-digest"
)

// TestPartsOfDeepLists looks at each once, though every list names the next one twice: going down
// every way would never end.
func TestPartsOfDeepLists(t *testing.T) {
	const depth = 100
	at := func(i int) digest.Digest { return digest.FromString(fmt.Sprint(i)) }
	all := map[digest.Digest]*Manifest{}
	for i := range depth {
		next := Descriptor{Digest: Digest(at(i + 1))}
		all[at(i)] = &Manifest{Digest: at(i), Manifests: List[Descriptor]{Items: []Descriptor{next, next}, Count: 2}}
	}
	parts := partsOf(all, at(0))
	if len(parts) != depth || !parts[at(depth)] || parts[at(0)] {
		t.Errorf("%d parts", len(parts))
	}
}
