package images

import (
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/opencontainers/go-digest"
)

// overhead is what an entry takes beside what it was read from.
const overhead = 512

// memory keeps what was used lately. It never changes: its name is its digest.
type memory[V any] struct {
	// most is how many bytes all may have been read from.
	most int

	mutex   sync.Mutex
	entries *simplelru.LRU[digest.Digest, remembered[V]]
	bytes   int
}

type remembered[V any] struct {
	value V
	bytes int
}

func newMemory[V any](most int) *memory[V] {
	m := &memory[V]{most: most}
	// It fails for sizes below 1 only.
	m.entries, _ = simplelru.NewLRU(math.MaxInt, func(_ digest.Digest, gone remembered[V]) { m.bytes -= gone.bytes })
	return m
}

func (m *memory[V]) get(d digest.Digest) (value V, ok bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	found, ok := m.entries.Get(d)
	return found.value, ok
}

func (m *memory[V]) add(d digest.Digest, value V, bytes int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.entries.Contains(d) {
		return
	}
	m.entries.Add(d, remembered[V]{value, bytes + overhead})
	for m.bytes += bytes + overhead; m.bytes > m.most; {
		m.entries.RemoveOldest()
	}
}
