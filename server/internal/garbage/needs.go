package garbage

import (
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/manifest"
)

// needs is what may not be deleted: manifests by repository, and blobs.
type needs struct {
	inventory *inventory
	manifests map[string]map[digest.Digest]bool
	blobs     map[digest.Digest]bool
	// about has, by repository, the manifests that are about another one and go with it:
	// those with a subject, and what a companion tag names.
	about map[string]map[digest.Digest][]digest.Digest
}

// findNeeds keeps of each repository what a tag names, and unless deleteUntagged all
// other manifests, but not what was retired and what is only there for that.
func findNeeds(i *inventory, deleteUntagged bool, retired map[string][]string) *needs {
	n := &needs{
		inventory: i,
		manifests: map[string]map[digest.Digest]bool{},
		blobs:     map[digest.Digest]bool{},
		about:     map[string]map[digest.Digest][]digest.Digest{},
	}
	for _, r := range i.repositories {
		n.manifests[r.name] = map[digest.Digest]bool{}
		n.about[r.name] = i.about(r)
		if i.isDamaged(r) {
			n.keepAll(r)
			continue
		}
		for _, d := range n.roots(r, deleteUntagged, retired[r.name]) {
			n.keep(r.name, d)
		}
	}
	return n
}

// about leaves out a manifest that a tag of its own names.
func (i *inventory) about(r *repository) map[digest.Digest][]digest.Digest {
	about := map[digest.Digest][]digest.Digest{}
	for d := range r.revisions {
		if subject := i.manifests[d].Subject; subject != "" {
			about[subject] = append(about[subject], d)
		}
	}
	for name, t := range r.tags {
		if subject := r.subjectOf(name); subject != "" && t.current != "" {
			about[subject] = append(about[subject], t.current)
		}
	}
	return about
}

func (n *needs) roots(r *repository, deleteUntagged bool, retired []string) []digest.Digest {
	gone := map[string]bool{}
	for _, name := range retired {
		gone[name] = true
	}
	var roots []digest.Digest
	withRetired := map[digest.Digest]bool{}
	for name, t := range r.tags {
		_, dependent := r.revisions[r.subjectOf(name)]
		switch {
		case t.damaged:
			roots = append(roots, t.history...)
		case gone[name]:
			n.reach(r, t.current, withRetired)
		case !dependent:
			roots = append(roots, t.current)
		}
	}
	if deleteUntagged {
		return roots
	}
	for d := range r.revisions {
		if !withRetired[d] {
			roots = append(roots, d)
		}
	}
	return roots
}

// reach adds a manifest, what it lists, and what is about any of them.
func (n *needs) reach(r *repository, d digest.Digest, reached map[digest.Digest]bool) {
	if _, ok := r.revisions[d]; !ok || reached[d] {
		return
	}
	reached[d] = true
	for _, next := range append(n.inventory.manifests[d].Manifests, n.about[r.name][d]...) {
		n.reach(r, next, reached)
	}
}

// keep is for a manifest of a repository, and for all it needs and all that is about it.
func (n *needs) keep(repository string, d digest.Digest) {
	r := n.inventory.repositories[repository]
	if r == nil {
		return
	}
	if _, ok := r.revisions[d]; !ok || n.manifests[repository][d] {
		return
	}
	n.manifests[repository][d] = true
	m := n.inventory.manifests[d]
	n.keepBlobs(d, m)
	next := append([]digest.Digest{m.Subject}, m.Manifests...)
	for _, each := range append(next, n.about[repository][d]...) {
		n.keep(repository, each)
	}
}

// keepAll is for a repository of which nobody knows what it needs.
func (n *needs) keepAll(r *repository) {
	for d := range r.revisions {
		n.keep(r.name, d)
	}
	for d := range r.layers {
		n.keepBlob(d)
	}
}

func (n *needs) keepBlobs(d digest.Digest, m *manifest.Manifest) {
	n.keepBlob(d)
	for _, each := range m.References() {
		n.keepBlob(each)
	}
}

func (n *needs) keepBlob(d digest.Digest) {
	n.blobs[d] = true
	if target, ok := n.inventory.aliases[d]; ok {
		n.blobs[target] = true
	}
}
