package plan

import "github.com/opencontainers/go-digest"

// Freed are manifests that no tag names since rules took those that did, by repository, each with
// when the link to it was written. Who pushes it again writes that anew, and then it is freed no
// longer.
//
// A collection keeps what is young and what clients count on, and may be cut off, when the tags
// are gone already. By this the next one knows from manifests without a tag that clients pushed
// which are to go.
type Freed map[string]map[digest.Digest]int64

// Most are no more than so many.
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
