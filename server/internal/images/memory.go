package images

import (
	"math"
	"reflect"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/opencontainers/go-digest"
)

// overhead is what an entry takes besides its value: its digest, and its place.
const overhead = 512

// memory keeps what was used lately. An entry never changes, because its name is its digest.
type memory[V any] struct {
	// most is the number of bytes that all entries may take. The size of what they were read from says little
	// about that: a list item of two bytes becomes one of a hundred.
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
	// NewLRU fails only for sizes below 1.
	m.entries, _ = simplelru.NewLRU(math.MaxInt, func(_ digest.Digest, gone remembered[V]) { m.bytes -= gone.bytes })
	return m
}

func (m *memory[V]) get(d digest.Digest) (value V, ok bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	found, ok := m.entries.Get(d)
	return found.value, ok
}

func (m *memory[V]) add(d digest.Digest, value V) {
	bytes := overhead + held(reflect.ValueOf(value))
	m.mutex.Lock()
	defer m.mutex.Unlock()
	// An entry that is too large by itself would only drive out all others.
	if bytes > m.most || m.entries.Contains(d) {
		return
	}
	m.entries.Add(d, remembered[V]{value, bytes})
	for m.bytes += bytes; m.bytes > m.most; {
		m.entries.RemoveOldest()
	}
}

// least is the memory that is allocated for a text, however short it is.
const least = 16

// held is the number of bytes that a value refers to, besides its own. It includes the unused capacity of
// lists. It goes by the types, so that no field is forgotten.
func held(v reflect.Value) (bytes int) {
	switch v.Kind() {
	case reflect.String:
		if v.Len() > 0 {
			bytes = max(least, v.Len())
		}
	case reflect.Pointer:
		if !v.IsNil() {
			bytes = int(v.Type().Elem().Size()) + held(v.Elem())
		}
	case reflect.Slice:
		bytes = v.Cap() * int(v.Type().Elem().Size())
		for i := range v.Len() {
			bytes += held(v.Index(i))
		}
	case reflect.Struct:
		// Times may share a time zone, which does not count as theirs.
		if v.Type() == reflect.TypeFor[time.Time]() {
			return 0
		}
		for i := range v.NumField() {
			bytes += held(v.Field(i))
		}
	}
	return bytes
}
