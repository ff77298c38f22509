package referrers

import (
	"encoding/json"
	"sync"

	"github.com/opencontainers/go-digest"
)

// descriptor is what a manifest is listed as, and the one it is about.
type descriptor struct {
	subject      digest.Digest
	artifactType string
	size         int
	// raw is left out where it is long.
	raw json.RawMessage
}

const (
	// memory is how many descriptors are remembered, in two halves, and brief how long their
	// text may be for that.
	memory = 8192
	brief  = 2 << 10
)

// known are descriptors that need not be read again: no manifest changes under its digest.
// Whether it is there is asked each time.
type known struct {
	mutex      sync.Mutex
	young, old map[digest.Digest]descriptor
}

func newKnown() *known { return &known{young: map[digest.Digest]descriptor{}} }

func (k *known) get(d digest.Digest) (descriptor, bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	found, ok := k.young[d]
	if !ok {
		if found, ok = k.old[d]; ok {
			k.put(d, found)
		}
	}
	return found, ok
}

func (k *known) add(d digest.Digest, found descriptor) {
	if len(found.subject)+len(found.artifactType) > brief {
		return
	}
	if found.size > brief {
		found.raw = nil
	}
	k.mutex.Lock()
	defer k.mutex.Unlock()
	k.put(d, found)
}

// put is called with the lock held.
func (k *known) put(d digest.Digest, found descriptor) {
	if len(k.young) >= memory/2 {
		k.young, k.old = map[digest.Digest]descriptor{}, k.young
	}
	k.young[d] = found
}
