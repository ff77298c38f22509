package garbage

import "github.com/opencontainers/go-digest"

// span is a time of the store's: after one moment, and until another.
type span struct{ after, until int64 }

func (s span) has(written int64) bool { return written > s.after && written <= s.until }

// keepPromised is for what was pushed by its digest to a process that is gone, which alone
// remembered that a client may come back for it. What a tag named once was not pushed for that,
// nor what such a manifest led to; and what the rules freed is to go.
func (n *needs) keepPromised(forgotten span) {
	for _, r := range n.inventory.repositories {
		var found []digest.Digest
		for d, written := range r.revisions {
			if _, freed := n.freed[r.name][d]; forgotten.has(written) && !freed {
				found = append(found, d)
			}
		}
		if len(found) == 0 {
			continue
		}
		tagged := map[digest.Digest]bool{}
		for _, t := range r.tags {
			for _, d := range t.history {
				n.reach(r, d, tagged)
			}
		}
		for _, d := range found {
			if !tagged[d] {
				n.keep(r.name, d)
			}
		}
	}
}
