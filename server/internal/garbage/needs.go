package garbage

import (
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
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
	// elsewhere has the repositories with manifests about one that they don't have themselves.
	// cosign can keep signatures in another repository than their images.
	elsewhere map[digest.Digest][]string
	// freed are not needed but for being young, counted on, or about what only another repository
	// has: the rules took their tags, now or before.
	freed freed
	// deserted is until when a tag was pushed that stays no longer for itself if what it is about was
	// deleted.
	deserted time.Time
}

// findNeeds keeps of each repository what a tag names, and unless deleteUntagged all
// other manifests, but not what was retired, now or before, and what is only there for that.
func findNeeds(i *inventory, o Options, retired map[string]map[string]bool, before freed, now time.Time) *needs {
	n := &needs{
		inventory: i,
		manifests: map[string]map[digest.Digest]bool{},
		blobs:     map[digest.Digest]bool{},
		about:     map[string]map[digest.Digest][]digest.Digest{},
		elsewhere: map[digest.Digest][]string{},
		freed:     freed{},
		deserted:  now.Add(-max(o.Grace, ahead)),
	}
	for _, r := range i.repositories {
		n.manifests[r.name] = map[digest.Digest]bool{}
		n.about[r.name] = i.about(r)
	}
	withRetired := map[string]map[digest.Digest]bool{}
	for _, r := range i.repositories {
		left := before[r.name]
		if !o.Retention.covers(r.name) {
			// Who takes a rule back means to keep what it has not deleted yet.
			left = nil
		}
		var tagged []digest.Digest
		tagged, withRetired[r.name] = n.roots(r, o.Retention, retired[r.name], left)
		for _, d := range tagged {
			n.keep(r.name, d)
		}
	}
	for name, found := range withRetired {
		for d := range found {
			if !n.manifests[name][d] {
				n.freed.add(name, d, i.repositories[name].revisions[d])
			}
		}
	}
	n.keepElsewhere()
	for _, r := range i.repositories {
		if i.isDamaged(r) {
			n.keepAll(r)
			continue
		}
		for d := range r.revisions {
			if !o.DeleteUntagged && !withRetired[r.name][d] {
				n.keep(r.name, d)
			}
		}
	}
	return n
}

// keepElsewhere is for what is about the manifests that are kept so far, in repositories that don't
// have them. It comes after what is freed, which they keep for a while only.
func (n *needs) keepElsewhere() {
	for name, about := range n.about {
		for subject := range about {
			if _, there := n.inventory.repositories[name].revisions[subject]; !there {
				n.elsewhere[subject] = append(n.elsewhere[subject], name)
			}
		}
	}
	for _, kept := range n.manifests {
		for d := range kept {
			n.keepAbout(d)
		}
	}
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

// roots are what tags name that stay, and apart from them what retired ones led to.
func (n *needs) roots(r *repository, rules Retention, retired map[string]bool, before map[digest.Digest]int64) (tagged []digest.Digest, withRetired map[digest.Digest]bool) {
	withRetired = map[digest.Digest]bool{}
	taken := map[digest.Digest]bool{}
	for d, written := range before {
		if r.revisions[d] == written {
			withRetired[d], taken[d] = true, true
			// What it lists was freed with it, unless somebody has pushed that again. What is about it
			// goes with it, whenever that came.
			for _, each := range n.about[r.name][d] {
				n.reach(r, each, withRetired)
			}
		}
	}
	kept := rules.kept(r.name)
	var own []digest.Digest
	for name, t := range r.tags {
		switch {
		case t.damaged:
			tagged = append(tagged, t.history...)
		case retired[name]:
			n.reach(r, t.current, withRetired)
			n.take(r, t.current, taken)
		case r.isOwn(name) && !matchesAny(kept, name):
			own = append(own, t.current)
		case !n.dependent(r, name):
			tagged = append(tagged, t.current)
		}
	}
	return append(tagged, slices.DeleteFunc(own, func(d digest.Digest) bool { return taken[d] })...), withRetired
}

// take adds a manifest that needs its own tag no longer, and what it lists if it has one: cosign copy
// gives one to an index and to each of its images. Beside an index without, it is somebody's who
// means to keep the image.
func (n *needs) take(r *repository, d digest.Digest, taken map[digest.Digest]bool) {
	if _, ok := r.revisions[d]; !ok || taken[d] {
		return
	}
	taken[d] = true
	if own, ok := r.tags[layout.ReferrersTag(d)]; ok && own.current == d {
		for _, part := range n.inventory.manifests[d].Manifests {
			n.take(r, part, taken)
		}
	}
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

// keep is for a manifest of a repository, and for all it needs and all that is about it, also in
// repositories that don't have it.
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
	n.keepAbout(d)
}

// keepAbout is for what is about a manifest in repositories that don't have it.
func (n *needs) keepAbout(d digest.Digest) {
	for _, other := range n.elsewhere[d] {
		for _, each := range n.about[other][d] {
			n.keep(other, each)
		}
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
