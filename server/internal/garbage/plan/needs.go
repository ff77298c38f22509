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

// ahead is how long a tag may be there before what it is about is pushed.
const ahead = time.Hour

// Needs is what may not be deleted: manifests by repository, and blobs.
type Needs struct {
	Inventory *inventory.Inventory
	Manifests map[string]map[digest.Digest]bool
	Blobs     map[digest.Digest]bool
	// about has, by repository, the manifests that are about another one and go with it:
	// those with a subject, and what a companion tag names.
	about map[string]map[digest.Digest][]digest.Digest
	// elsewhere has the repositories with manifests about one that they don't have themselves.
	// cosign can keep signatures in another repository than their images.
	elsewhere map[digest.Digest][]string
	// Freed are not needed but for being young, counted on, or about what only another repository
	// has: the rules took their tags, now or before.
	Freed Freed
	// deserted is until when a tag was pushed that stays no longer for itself if what it is about was
	// deleted.
	deserted time.Time
}

// findNeeds keeps of each repository what a tag names, and unless deleteUntagged all
// other manifests, but not what was retired, now or before, and what is only there for that.
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
			// Who takes a rule back means to keep what it has not deleted yet.
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

// keepElsewhere is for what is about the manifests that are kept so far, in repositories that don't
// have them. It comes after what is freed, which they keep for a while only.
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

// aboutOthers leaves out a manifest that a tag of its own names.
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

// roots are what tags name that stay, and apart from them what retired ones led to.
func (n *Needs) roots(r *inventory.Repository, rules retention.Policy, retired map[string]bool, before map[digest.Digest]int64) (tagged []digest.Digest, withRetired map[digest.Digest]bool) {
	withRetired = map[digest.Digest]bool{}
	taken := map[digest.Digest]bool{}
	for d, written := range before {
		if r.Revisions[d] == written {
			withRetired[d], taken[d] = true, true
			// What it lists was freed with it, unless somebody has pushed that again. What is about it
			// goes with it, whenever that came.
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

// take adds a manifest that needs its own tag no longer, and what it lists if it has one: cosign copy
// gives one to an index and to each of its images. Beside an index without, it is somebody's who
// means to keep the image.
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

// Keep is for a manifest of a repository, and for all it needs and all that is about it, also in
// repositories that don't have it.
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

// keepAbout is for what is about a manifest in repositories that don't have it.
func (n *Needs) keepAbout(d digest.Digest) {
	for _, other := range n.elsewhere[d] {
		for _, each := range n.about[other][d] {
			n.Keep(other, each)
		}
	}
}

// keepAll is for a repository of which nobody knows what it needs.
func (n *Needs) keepAll(r *inventory.Repository) {
	for d := range r.Revisions {
		n.Keep(r.Name, d)
	}
	n.keepLayers(r)
}

// keepLayers is for a repository of which nobody knows by which bytes its layers are kept.
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

// dependent says whether a tag goes with what it is about. One that is an image's own goes with it
// where the rules freed that.
func (n *Needs) dependent(r *inventory.Repository, name string) bool {
	_, there := r.Revisions[r.SubjectOf(name)]
	_, freed := n.Freed[r.Name][r.Tags[name].Current]
	return there || freed && r.IsOwn(name) || r.Tags[name].Deserted && r.Tags[name].Pushed.Before(n.deserted)
}

// keepYoung is for pushes through another server, of which this one knows nothing.
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
