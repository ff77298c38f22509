package plan

import "github.com/opencontainers/go-digest"

// Span is a time of the store's: after one moment, and until another.
type Span struct{ After, Until int64 }

func (s Span) has(written int64) bool { return written > s.After && written <= s.Until }

// keepPromised is for what was pushed by its digest to a process that is gone, which alone
// remembered that a client may come back for it. What a tag named once was not pushed for that,
// nor what such a manifest led to; and what the rules freed is to go.
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
