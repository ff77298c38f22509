package plan

import "github.com/opencontainers/go-digest"

// Freed are manifests that no tag names any more because retention rules took their tags. They are by
// repository, each with the time when the link to it was written. A manifest that is pushed again gets a
// new link, and is then no longer freed.
//
// A collection keeps what is young and what clients count on, and it may be cut off when the tags are
// already gone. Freed lets the next one tell what is left of these manifests from those that clients pushed
// without a tag.
type Freed map[string]map[digest.Digest]int64

// Most returns at most that number of them.
func (f Freed) Most(number int) Freed {
	some := Freed{}
	for _, name := range sorted(f) {
		for d, written := range f[name] {
			if number == 0 {
				return some
			}
			number--
			some.Add(name, d, written)
		}
	}
	return some
}

// Add notes a manifest.
func (f Freed) Add(repository string, d digest.Digest, written int64) {
	if f[repository] == nil {
		f[repository] = map[digest.Digest]int64{}
	}
	f[repository][d] = written
}
