package images

import (
	"sync"

	"github.com/opencontainers/go-digest"
)

// overhead is what an entry takes beside what it was read from.
const overhead = 512

// memory keeps what was read lately. It never changes: its name is its digest.
type memory[V any] struct {
	// most is how many bytes the two halves may have been read from.
	most int

	mutex      sync.Mutex
	young, old map[digest.Digest]remembered[V]
	// bytes are those of the young half.
	bytes int
}

type remembered[V any] struct {
	value V
	bytes int
}

func newMemory[V any](most int) *memory[V] {
	return &memory[V]{most: most, young: map[digest.Digest]remembered[V]{}}
}

func (m *memory[V]) get(d digest.Digest) (value V, ok bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	found, ok := m.young[d]
	if !ok {
		if found, ok = m.old[d]; ok {
			m.put(d, found)
		}
	}
	return found.value, ok
}

func (m *memory[V]) add(d digest.Digest, value V, bytes int) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.put(d, remembered[V]{value, bytes + overhead})
}

// put is called with the lock held.
func (m *memory[V]) put(d digest.Digest, found remembered[V]) {
	if m.bytes+found.bytes > m.most/2 {
		m.young, m.old, m.bytes = map[digest.Digest]remembered[V]{}, m.young, 0
	}
	m.young[d] = found
	m.bytes += found.bytes
}
