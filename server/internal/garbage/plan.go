package garbage

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// stage orders deletions: whenever a collection is cut off, what is left refers to
// nothing that is gone, and the next collection finds the rest.
type stage int

const (
	tags stage = iota
	manifests
	links
	layers
	blobs
	repositories
)

// deletion is one thing to delete.
type deletion struct {
	stage      stage
	repository string
	digest     digest.Digest
	*detail
}

// detail is what few deletions have; most are of blobs, and those of a million have to fit
// into memory.
type detail struct {
	tag string
	// subject is what a referrer is about.
	subject digest.Digest
	// rule is why a tag goes; empty for one that goes with its manifest.
	rule string
	// named are the tags that named a manifest once.
	named []string
}

// plain is of those that need none.
var plain = &detail{}

func (d deletion) String() string {
	switch d.stage {
	case tags:
		if d.digest == "" {
			return "tag " + d.repository + ":" + d.tag + ", which a push left that was cut off"
		}
		if d.rule == "" {
			return "tag " + d.repository + ":" + d.tag + ", as what it is about goes"
		}
		return "tag " + d.repository + ":" + d.tag + " by " + d.rule
	case manifests:
		return "manifest " + d.repository + "@" + d.digest.String()
	case links:
		return "link from " + d.subject.String() + " to " + d.digest.String() + " in " + d.repository
	case layers:
		return "link to " + d.digest.String() + " in " + d.repository
	case blobs:
		return "blob " + d.digest.String()
	default:
		return "repository " + d.repository
	}
}

// spread is what links and blobs are sorted by: neighbours in a folder, of which there are
// many, would be deleted one after the other, as the folder is locked meanwhile. A folder
// of blobs is named after the first two letters.
func (d deletion) spread() string {
	if d.stage != layers && d.stage != blobs && d.stage != links {
		return ""
	}
	return d.digest.Encoded()[2:]
}

// plan is what a collection would delete.
type plan struct {
	needs     *needs
	deletions []deletion
	// wishes are what the retention rules would delete if they were not set to a dry run.
	wishes []deletion
}

func makePlan(i *inventory, o Options, before freed, forgotten span, now time.Time) *plan {
	p := &plan{}
	retired := map[string]map[string]bool{}
	for _, name := range sorted(i.repositories) {
		r := i.repositories[name]
		names, rule := o.Retention.retire(name, i.aged(r), now)
		for _, each := range names {
			d := deletion{tags, name, r.tags[each].current, &detail{tag: each, rule: ruleName(o.Retention, rule)}}
			if o.Retention.DryRun {
				p.wishes = append(p.wishes, d)
			} else {
				p.deletions = append(p.deletions, d)
				if retired[name] == nil {
					retired[name] = map[string]bool{}
				}
				retired[name][each] = true
			}
		}
	}
	p.needs = findNeeds(i, o, retired, before, now)
	since := now.Add(-o.Grace).UnixMicro()
	p.needs.keepYoung(since)
	p.needs.keepPromised(forgotten)
	p.makeRoom(i)
	for _, name := range sorted(i.repositories) {
		p.addRepository(i.repositories[name], retired[name], since)
	}
	for d, found := range i.blobs {
		if !p.needs.blobs[d] && found.written <= since {
			p.deletions = append(p.deletions, deletion{blobs, "", d, plain})
		}
	}
	slices.SortFunc(p.deletions, func(a, b deletion) int {
		return cmp.Or(cmp.Compare(a.stage, b.stage), strings.Compare(a.spread(), b.spread()), strings.Compare(a.repository, b.repository), strings.Compare(a.tag, b.tag), strings.Compare(string(a.digest), string(b.digest)))
	})
	return p
}

// makeRoom is for most of what there will be to delete: a list that grows is in memory twice.
func (p *plan) makeRoom(i *inventory) {
	room := 0
	for d := range i.blobs {
		if !p.needs.blobs[d] {
			room++
		}
	}
	for _, r := range i.repositories {
		room += len(r.revisions) - len(p.needs.manifests[r.name]) + len(r.tags) + 1
		for d := range r.layers {
			if !p.needs.blobs[d] {
				room++
			}
		}
	}
	p.deletions = slices.Grow(p.deletions, max(0, room))
}

func (p *plan) addRepository(r *repository, retired map[string]bool, since int64) {
	left := 0
	for name, t := range r.tags {
		switch {
		case retired[name]:
		case t.current == "" && !t.damaged:
			if t.abandoned {
				p.deletions = append(p.deletions, deletion{tags, r.name, "", &detail{tag: name}})
			}
		case p.needs.dependent(r, name) && !p.needs.manifests[r.name][t.current]:
			p.deletions = append(p.deletions, deletion{tags, r.name, t.current, &detail{tag: name}})
		default:
			left++
		}
	}
	named := r.namedOnce(p.needs.manifests[r.name])
	for d := range r.revisions {
		if !p.needs.manifests[r.name][d] {
			each := plain
			if found := named[d]; len(found) > 0 {
				each = &detail{named: found}
			}
			p.deletions = append(p.deletions, deletion{manifests, r.name, d, each})
		}
	}
	for link := range r.referrers {
		if !p.needs.manifests[r.name][link.digest] {
			p.deletions = append(p.deletions, deletion{links, r.name, link.digest, &detail{subject: link.subject}})
		}
	}
	for d := range r.layers {
		if !p.needs.blobs[d] {
			p.deletions = append(p.deletions, deletion{layers, r.name, d, plain})
		}
	}
	if left == 0 && len(p.needs.manifests[r.name]) == 0 && !r.isYoung(since) {
		p.deletions = append(p.deletions, deletion{repositories, r.name, "", plain})
	}
	// Nobody asks for them any more, and they take a tenth of all memory.
	r.layers = nil
}

// namedOnce is the tags that named each manifest, but for those that stay.
func (r *repository) namedOnce(staying map[digest.Digest]bool) map[digest.Digest][]string {
	named := map[digest.Digest][]string{}
	for name, t := range r.tags {
		for _, d := range t.history {
			if !staying[d] {
				named[d] = append(named[d], name)
			}
		}
	}
	return named
}

// isYoung says whether somebody may be pushing the first image to it.
func (r *repository) isYoung(since int64) bool {
	for _, written := range r.layers {
		if written > since {
			return true
		}
	}
	return false
}

// keepYoung is for pushes through another server, of which this one knows nothing.
func (n *needs) keepYoung(since int64) {
	for _, r := range n.inventory.repositories {
		for d, written := range r.revisions {
			if written > since {
				n.keep(r.name, d)
			}
		}
		for d, written := range r.layers {
			if written > since {
				n.keepBlob(d)
			}
		}
	}
}

// aged leaves out tags that nobody can pull: they stay for people to see, and no other tag goes
// for them.
func (i *inventory) aged(r *repository) []aged {
	var list []aged
	for name, t := range r.tags {
		if i.isWhole(r, t) {
			list = append(list, aged{name, t.pushed})
		}
	}
	return list
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
