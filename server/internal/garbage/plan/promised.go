package plan

import "github.com/opencontainers/go-digest"

// Span is a span of the store's time: after one moment, up to and including another.
type Span struct{ After, Until int64 }

func (s Span) has(written int64) bool { return written > s.After && written <= s.Until }

// keepPromised keeps what was pushed by its digest to a process that is gone. Only that process
// remembered that a client may come back for it. Manifests that a tag has ever named, and those that
// they led to, were not pushed in that way. What the rules freed is to go.
func (n *Needs) keepPromised(forgotten Span) {
	for _, r := range n.Inventory.Repositories {
		var found []digest.Digest
		for d, written := range r.Revisions {
			if _, freed := n.Freed[r.Name][d]; forgotten.has(written) && !freed {
				found = append(found, d)
			}
		}
		if len(found) == 0 {
			continue
		}
		tagged := map[digest.Digest]bool{}
		for _, t := range r.Tags {
			for _, d := range t.History {
				n.reach(r, d, tagged)
			}
		}
		for _, d := range found {
			if !tagged[d] {
				n.Keep(r.Name, d)
			}
		}
	}
}
