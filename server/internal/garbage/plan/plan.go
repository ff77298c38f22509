// Package plan decides what a collection deletes of what a store holds.
package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/garbage/retention"
)

// Stage orders deletions: whenever a collection is cut off, what is left refers to
// nothing that is gone, and the next collection finds the rest.
type Stage int

const (
	Tags Stage = iota
	Manifests
	Links
	Layers
	Blobs
	Repositories
)

// Deletion is one thing to delete.
type Deletion struct {
	Stage      Stage
	Repository string
	Digest     digest.Digest
	*detail
}

// detail has what only few deletions need. Most are of blobs, and those of a million blobs have to fit
// into memory.
type detail struct {
	Tag string
	// Subject is the manifest that a referrer is about.
	Subject digest.Digest
	// Rule is why a tag goes. It is empty for a tag that goes with its manifest.
	Rule string
	// Named are the tags that have ever named a manifest.
	Named []string
}

// plain is the detail of deletions that need none.
var plain = &detail{}

func (d Deletion) String() string {
	switch d.Stage {
	case Tags:
		if d.Digest == "" {
			return "tag " + d.Repository + ":" + d.Tag + ", which a push left that was cut off"
		}
		if d.Rule == "" {
			return "tag " + d.Repository + ":" + d.Tag + ", as what it is about goes"
		}
		return "tag " + d.Repository + ":" + d.Tag + " by " + d.Rule
	case Manifests:
		return "manifest " + d.Repository + "@" + d.Digest.String()
	case Links:
		return "link from " + d.Subject.String() + " to " + d.Digest.String() + " in " + d.Repository
	case Layers:
		return "link to " + d.Digest.String() + " in " + d.Repository
	case Blobs:
		return "blob " + d.Digest.String()
	default:
		return "repository " + d.Repository
	}
}

// spread is what links and blobs are sorted by, so that neighbours in a folder are not deleted at the
// same time: a folder is locked during each deletion, so they would have to wait for each other. A folder
// of blobs is named after the first two letters of their digests, which are left out here.
func (d Deletion) spread() string {
	if d.Stage != Layers && d.Stage != Blobs && d.Stage != Links {
		return ""
	}
	return d.Digest.Encoded()[2:]
}

// Options are the options of a collection that decide what it deletes.
type Options struct {
	Retention      retention.Policy
	Grace          time.Duration
	DeleteUntagged bool
}

// Plan is what a collection would delete.
type Plan struct {
	Needs     *Needs
	Deletions []Deletion
	// Wishes are what the retention rules would delete if they were not set to a dry run.
	Wishes []Deletion
}

// Make plans a collection from what a store holds and what earlier collections freed. What was pushed by
// digest in the forgotten span stays.
func Make(i *inventory.Inventory, o Options, before Freed, forgotten Span, now time.Time) *Plan {
	p := &Plan{}
	retired := map[string]map[string]bool{}
	for _, name := range sorted(i.Repositories) {
		r := i.Repositories[name]
		names, rule := o.Retention.Retire(name, i.Pushed(r), now)
		for _, each := range names {
			d := Deletion{Tags, name, r.Tags[each].Current, &detail{Tag: each, Rule: rule}}
			if o.Retention.DryRun {
				p.Wishes = append(p.Wishes, d)
			} else {
				p.Deletions = append(p.Deletions, d)
				if retired[name] == nil {
					retired[name] = map[string]bool{}
				}
				retired[name][each] = true
			}
		}
	}
	p.Needs = findNeeds(i, o, retired, before, now)
	since := now.Add(-o.Grace).UnixMicro()
	p.Needs.keepYoung(since)
	p.Needs.keepPromised(forgotten)
	p.makeRoom(i)
	for _, name := range sorted(i.Repositories) {
		p.addRepository(i.Repositories[name], retired[name], since)
	}
	for d, found := range i.Blobs {
		if !p.Needs.Blobs[d] && found.Written <= since {
			p.Deletions = append(p.Deletions, Deletion{Blobs, "", d, plain})
		}
	}
	slices.SortFunc(p.Deletions, func(a, b Deletion) int {
		return cmp.Or(cmp.Compare(a.Stage, b.Stage), strings.Compare(a.spread(), b.spread()), strings.Compare(a.Repository, b.Repository), strings.Compare(a.Tag, b.Tag), strings.Compare(string(a.Digest), string(b.Digest)))
	})
	return p
}

// makeRoom allocates the list for most of the deletions at once: a list that grows is in memory twice.
func (p *Plan) makeRoom(i *inventory.Inventory) {
	room := 0
	for d := range i.Blobs {
		if !p.Needs.Blobs[d] {
			room++
		}
	}
	for _, r := range i.Repositories {
		room += len(r.Revisions) - len(p.Needs.Manifests[r.Name]) + len(r.Tags) + 1
		for d := range r.Layers {
			if !p.Needs.Blobs[d] {
				room++
			}
		}
	}
	p.Deletions = slices.Grow(p.Deletions, max(0, room))
}

func (p *Plan) addRepository(r *inventory.Repository, retired map[string]bool, since int64) {
	left := 0
	for name, t := range r.Tags {
		switch {
		case retired[name]:
		case t.Current == "" && !t.Damaged:
			if t.Abandoned {
				p.Deletions = append(p.Deletions, Deletion{Tags, r.Name, "", &detail{Tag: name}})
			}
		case p.Needs.dependent(r, name) && !p.Needs.Manifests[r.Name][t.Current]:
			p.Deletions = append(p.Deletions, Deletion{Tags, r.Name, t.Current, &detail{Tag: name}})
		default:
			left++
		}
	}
	named := namedOnce(r, p.Needs.Manifests[r.Name])
	for d := range r.Revisions {
		if !p.Needs.Manifests[r.Name][d] {
			each := plain
			if found := named[d]; len(found) > 0 {
				each = &detail{Named: found}
			}
			p.Deletions = append(p.Deletions, Deletion{Manifests, r.Name, d, each})
		}
	}
	for link := range r.Referrers {
		if !p.Needs.Manifests[r.Name][link.Digest] {
			p.Deletions = append(p.Deletions, Deletion{Links, r.Name, link.Digest, &detail{Subject: link.Subject}})
		}
	}
	for d := range r.Layers {
		if !p.Needs.Blobs[d] {
			p.Deletions = append(p.Deletions, Deletion{Layers, r.Name, d, plain})
		}
	}
	if left == 0 && len(p.Needs.Manifests[r.Name]) == 0 && !isYoung(r, since) {
		p.Deletions = append(p.Deletions, Deletion{Repositories, r.Name, "", plain})
	}
	// They are not needed any more, and take a tenth of all memory.
	r.Layers = nil
}

// namedOnce is, for each manifest that does not stay, the tags that have ever named it.
func namedOnce(r *inventory.Repository, staying map[digest.Digest]bool) map[digest.Digest][]string {
	named := map[digest.Digest][]string{}
	for name, t := range r.Tags {
		for _, d := range t.History {
			if !staying[d] {
				named[d] = append(named[d], name)
			}
		}
	}
	return named
}

// isYoung says whether somebody may be pushing the first image to a repository.
func isYoung(r *inventory.Repository, since int64) bool {
	for _, written := range r.Layers {
		if written > since {
			return true
		}
	}
	return false
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
