package plan

import (
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/garbage/retention"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
)

// ahead is how long a tag may be there before the manifest that it is about is pushed.
const ahead = time.Hour

// Needs is what may not be deleted: manifests by repository, and blobs.
type Needs struct {
	Inventory *inventory.Inventory
	Manifests map[string]map[digest.Digest]bool
	Blobs     map[digest.Digest]bool
	// about has, by repository and by the other manifest, the manifests that are about another one and
	// go with it: those with a subject, and those that a companion tag names.
	about map[string]map[digest.Digest][]digest.Digest
	// elsewhere has, for a manifest, the repositories that don't have it but have manifests about it:
	// cosign can keep signatures in a repository other than that of their images.
	elsewhere map[digest.Digest][]string
	// Freed are the manifests whose tags the rules took, now or before. They are needed only if they are
	// young, counted on, or about a manifest that only another repository has.
	Freed Freed
	// deserted is a time: a tag that was pushed before it no longer stays by itself if the manifest that
	// it is about was deleted.
	deserted time.Time
}

// findNeeds keeps what tags name in each repository, and all other manifests unless DeleteUntagged is set.
// It does not keep what was retired, now or before, nor what is there only for that.
func findNeeds(i *inventory.Inventory, o Options, retired map[string]map[string]bool, before Freed, now time.Time) *Needs {
	n := &Needs{
		Inventory: i,
		Manifests: map[string]map[digest.Digest]bool{},
		Blobs:     map[digest.Digest]bool{},
		about:     map[string]map[digest.Digest][]digest.Digest{},
		elsewhere: map[digest.Digest][]string{},
		Freed:     Freed{},
		deserted:  now.Add(-max(o.Grace, ahead)),
	}
	for _, r := range i.Repositories {
		n.Manifests[r.Name] = map[digest.Digest]bool{}
		n.about[r.Name] = aboutOthers(i, r)
	}
	withRetired := map[string]map[digest.Digest]bool{}
	for _, r := range i.Repositories {
		left := before[r.Name]
		if !o.Retention.Covers(r.Name) {
			// Somebody who removes a rule wants to keep what it has not deleted yet.
			left = nil
		}
		var tagged []digest.Digest
		tagged, withRetired[r.Name] = n.roots(r, o.Retention, retired[r.Name], left)
		for _, d := range tagged {
			n.Keep(r.Name, d)
		}
	}
	for name, found := range withRetired {
		for d := range found {
			if !n.Manifests[name][d] {
				n.Freed.Add(name, d, i.Repositories[name].Revisions[d])
			}
		}
	}
	n.keepElsewhere()
	for _, r := range i.Repositories {
		if i.IsDamaged(r) {
			n.keepAll(r)
			continue
		}
		if r.Vague {
			n.keepLayers(r)
		}
		for d := range r.Revisions {
			if !o.DeleteUntagged && !withRetired[r.Name][d] {
				n.Keep(r.Name, d)
			}
		}
	}
	return n
}

// keepElsewhere keeps what is about the manifests kept so far in repositories that don't have them. It is
// called when it is known what is freed, which this keeps only for as long as those manifests are there.
func (n *Needs) keepElsewhere() {
	for name, about := range n.about {
		for subject := range about {
			if _, there := n.Inventory.Repositories[name].Revisions[subject]; !there {
				n.elsewhere[subject] = append(n.elsewhere[subject], name)
			}
		}
	}
	for _, kept := range n.Manifests {
		for d := range kept {
			n.keepAbout(d)
		}
	}
}

// aboutOthers finds the manifests that are about others, by the other one. A tag that is named after its own
// manifest does not count.
func aboutOthers(i *inventory.Inventory, r *inventory.Repository) map[digest.Digest][]digest.Digest {
	about := map[digest.Digest][]digest.Digest{}
	for d := range r.Revisions {
		if subject := i.About(r, d); subject != "" {
			about[subject] = append(about[subject], d)
		}
	}
	for name, t := range r.Tags {
		if subject := r.SubjectOf(name); subject != "" && t.Current != "" {
			about[subject] = append(about[subject], t.Current)
		}
	}
	return about
}

// roots returns the manifests that the remaining tags name, and separately those that retired tags led to.
func (n *Needs) roots(r *inventory.Repository, rules retention.Policy, retired map[string]bool, before map[digest.Digest]int64) (tagged []digest.Digest, withRetired map[digest.Digest]bool) {
	withRetired = map[digest.Digest]bool{}
	taken := map[digest.Digest]bool{}
	for d, written := range before {
		if r.Revisions[d] == written {
			withRetired[d], taken[d] = true, true
			// The manifests that it lists were freed with it, unless somebody has pushed them again, and are
			// in before themselves. Those about it go with it, whenever they came.
			for _, each := range n.about[r.Name][d] {
				n.reach(r, each, withRetired)
			}
		}
	}
	kept := rules.KeptByName(r.Name)
	var own []digest.Digest
	for name, t := range r.Tags {
		switch {
		case t.Damaged:
			tagged = append(tagged, t.History...)
		case retired[name]:
			n.reach(r, t.Current, withRetired)
			n.take(r, t.Current, taken)
		case r.IsOwn(name) && !kept(name):
			own = append(own, t.Current)
		case !n.dependent(r, name):
			tagged = append(tagged, t.Current)
		}
	}
	return append(tagged, slices.DeleteFunc(own, func(d digest.Digest) bool { return taken[d] })...), withRetired
}

// take adds a manifest that no longer needs its own tag. If it has such a tag, take also adds what it
// lists: cosign copy gives one to an index and to each of its images. If the index has none, somebody else
// gave the image its own tag, to keep it.
func (n *Needs) take(r *inventory.Repository, d digest.Digest, taken map[digest.Digest]bool) {
	if _, ok := r.Revisions[d]; !ok || taken[d] {
		return
	}
	taken[d] = true
	if own, ok := r.Tags[layout.ReferrersTag(d)]; ok && own.Current == d {
		for _, part := range n.Inventory.Manifests[d].Manifests {
			n.take(r, part, taken)
		}
	}
}

// reach adds a manifest, what it lists, and what is about any of them.
func (n *Needs) reach(r *inventory.Repository, d digest.Digest, reached map[digest.Digest]bool) {
	if _, ok := r.Revisions[d]; !ok || reached[d] {
		return
	}
	reached[d] = true
	for _, next := range append(n.Inventory.Manifests[d].Manifests, n.about[r.Name][d]...) {
		n.reach(r, next, reached)
	}
}

// Keep keeps a manifest of a repository, all that it needs, and all that is about it, also in repositories
// that don't have it.
func (n *Needs) Keep(repository string, d digest.Digest) {
	r := n.Inventory.Repositories[repository]
	if r == nil {
		return
	}
	if _, ok := r.Revisions[d]; !ok || n.Manifests[repository][d] {
		return
	}
	n.Manifests[repository][d] = true
	m := n.Inventory.Manifests[d]
	n.keepBlobs(d, m)
	next := append([]digest.Digest{n.Inventory.About(r, d)}, m.Manifests...)
	for _, each := range append(next, n.about[repository][d]...) {
		n.Keep(repository, each)
	}
	n.keepAbout(d)
}

// keepAbout keeps what is about a manifest in repositories that don't have it.
func (n *Needs) keepAbout(d digest.Digest) {
	for _, other := range n.elsewhere[d] {
		for _, each := range n.about[other][d] {
			n.Keep(other, each)
		}
	}
}

// keepAll is for a repository whose needs are not known.
func (n *Needs) keepAll(r *inventory.Repository) {
	for d := range r.Revisions {
		n.Keep(r.Name, d)
	}
	n.keepLayers(r)
}

// keepLayers is for a repository in which it is not known which bytes belong to a layer.
func (n *Needs) keepLayers(r *inventory.Repository) {
	for d := range r.Layers {
		n.keepBlob(d)
	}
}

func (n *Needs) keepBlobs(d digest.Digest, m *manifest.Manifest) {
	n.keepBlob(d)
	for _, each := range m.References() {
		n.keepBlob(each)
	}
}

func (n *Needs) keepBlob(d digest.Digest) {
	n.Blobs[d] = true
	if target, ok := n.Inventory.Aliases[d]; ok {
		n.Blobs[target] = true
	}
}

// dependent says whether a tag goes with the manifest that it is about. A manifest's own tag goes with the
// manifest if the rules freed that.
func (n *Needs) dependent(r *inventory.Repository, name string) bool {
	_, there := r.Revisions[r.SubjectOf(name)]
	_, freed := n.Freed[r.Name][r.Tags[name].Current]
	return there || freed && r.IsOwn(name) || r.Tags[name].Deserted && r.Tags[name].Pushed.Before(n.deserted)
}

// keepYoung keeps what was written recently: pushes through other servers, of which this one knows nothing.
func (n *Needs) keepYoung(since int64) {
	for _, r := range n.Inventory.Repositories {
		for d, written := range r.Revisions {
			if written > since {
				n.Keep(r.Name, d)
			}
		}
		for d, written := range r.Layers {
			if written > since {
				n.keepBlob(d)
			}
		}
	}
}
