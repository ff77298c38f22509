package garbage

import (
	"context"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/garbage/plan"
	"container-registry/server/internal/garbage/retention"

	"github.com/opencontainers/go-digest"
)

// A preview names at most so many tags and manifests of each kind in one repository, so that there is room
// for many repositories, and in all.
const (
	namedOfOne = 200
	namedOfAll = 10_000
)

// Preview is what a collection would delete, and what else it would delete if that were chosen: manifests
// without a tag.
type Preview struct {
	At time.Time
	// Bytes is what is freed in any case, and UntaggedBytes what is freed in addition with Untagged.
	Bytes, UntaggedBytes int64
	// Tags are what the retention rules would delete, even if they are set to a dry run.
	Tags []Retired
	// Aging are tags that a rule keeps only because of their age, the next to go first.
	Aging []Retired
	// Untagged are manifests that nothing needs, except those that go with their tags.
	Untagged []Untagged
	// Counts has the number of all of them by repository, including those that are not named.
	Counts map[string]Counts

	retention retention.Policy
	// leaving has hashes of all of Tags and Aging, including those that are not named. The names of a
	// hundred thousand would take too much memory.
	leaving map[uint64]struct{}
	seed    maphash.Seed
}

// naming is a tag of a repository and the manifest that it names.
type naming struct {
	repository, tag string
	digest          digest.Digest
}

// Leaving says whether the rules do not keep a tag forever that was pushed at a time. If so, it returns
// until when they keep it, zero for not at all, and the rule. Without a preview no tag is known to leave.
func (p *Preview) Leaving(repository, tag string, d digest.Digest, pushed time.Time) (until time.Time, rule string, leaves bool) {
	if p == nil {
		return until, "", false
	}
	if _, leaves = p.leaving[maphash.Comparable(p.seed, naming{repository, tag, d})]; !leaves {
		return until, "", false
	}
	kept, rule, _ := p.retention.RuleFor(repository)
	return kept.Until(pushed), rule, true
}

// Counts is how many there are of each kind.
type Counts struct{ Tags, Aging, Untagged int }

// Plus is the sum of both.
func (c Counts) Plus(others Counts) Counts {
	return Counts{c.Tags + others.Tags, c.Aging + others.Aging, c.Untagged + others.Untagged}
}

// Retired is a tag that a rule does not keep, or not forever.
type Retired struct {
	Repository, Tag, Rule string
	Digest                digest.Digest
	Pushed                time.Time
	// Until is when its age no longer keeps it, if nothing is pushed in the meantime; zero for a tag whose
	// age does not matter.
	Until time.Time
}

// Untagged is a manifest without a tag.
type Untagged struct {
	Repository string
	Digest     digest.Digest
	Size       int64
}

// preview holds the last preview.
type preview struct {
	mutex    sync.Mutex
	last     *Preview
	err      error
	underWay bool
}

// Options are those of the configuration.
func (c *Collector) Options() Options { return c.options }

// PreviewSoon has Run find out what a collection would delete. It returns false if another order waits
// already.
func (c *Collector) PreviewSoon() bool {
	c.preview.mutex.Lock()
	defer c.preview.mutex.Unlock()
	ordered := c.order(func(ctx context.Context) {
		found, err := c.look(ctx)
		c.preview.mutex.Lock()
		defer c.preview.mutex.Unlock()
		c.preview.underWay, c.preview.err = false, err
		if err == nil {
			c.preview.last = found
		} else if ctx.Err() == nil {
			c.log.WithError(err).Error("what a collection would delete could not be found out")
		}
	})
	c.preview.underWay = c.preview.underWay || ordered
	return ordered
}

// Preview is the last preview, and whether another one is under way. It is nil if there is none, or if a
// collection has deleted anything since.
func (c *Collector) Preview() (last *Preview, underWay bool, err error) {
	runs := c.Runs()
	c.preview.mutex.Lock()
	defer c.preview.mutex.Unlock()
	last = c.preview.last
	if last != nil && slices.ContainsFunc(runs, func(run Run) bool { return run.deletedSince(last.At) }) {
		last = nil
	}
	return last, c.preview.underWay, c.preview.err
}

func (c *Collector) look(ctx context.Context) (*Preview, error) {
	p := &Preview{At: time.Now(), Counts: map[string]Counts{}, retention: c.options.Retention, leaving: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
	run := c.run(Request{DryRun: true, DeleteUntagged: true}, io.Discard)
	if err := run.dry(ctx); err != nil {
		return nil, err
	}
	p.addTags(run.todo.Needs.Inventory)
	p.addUntagged(run.todo)
	p.Tags, p.Aging = named(p.Tags, Retired.of), named(p.Aging, Retired.of)
	p.Untagged = named(p.Untagged, Untagged.of)
	return p, nil
}

func (p *Preview) count(repository string, more Counts) {
	p.Counts[repository] = p.Counts[repository].Plus(more)
}

func (r Retired) of() string  { return r.Repository }
func (u Untagged) of() string { return u.Repository }

// named are the items of a list that a preview names, in the list's order.
func named[T any](list []T, of func(T) string) []T {
	seen := map[string]int{}
	kept := slices.DeleteFunc(list, func(each T) bool {
		seen[of(each)]++
		return seen[of(each)] > namedOfOne
	})
	return slices.Clone(kept[:min(namedOfAll, len(kept))])
}

func (p *Preview) addTags(i *inventory.Inventory) {
	for _, name := range slices.Sorted(maps.Keys(i.Repositories)) {
		r := i.Repositories[name]
		list, rule := p.retention.Leave(name, i.Pushed(r))
		for _, each := range list {
			tag := r.Tags[each.Name]
			p.leaving[maphash.Comparable(p.seed, naming{name, each.Name, tag.Current})] = struct{}{}
			retired := Retired{name, each.Name, rule, tag.Current, tag.Pushed, each.Until}
			if each.Until.After(p.At) {
				p.Aging = append(p.Aging, retired)
				p.count(name, Counts{Aging: 1})
			} else {
				p.Tags = append(p.Tags, retired)
				p.count(name, Counts{Tags: 1})
			}
		}
	}
	slices.SortStableFunc(p.Aging, func(a, b Retired) int { return a.Until.Compare(b.Until) })
}

// addUntagged tells apart what goes only if that is chosen: otherwise these manifests would stay, and keep
// what they need.
func (p *Preview) addUntagged(todo *plan.Plan) {
	needs := todo.Needs
	for _, d := range todo.Deletions {
		if _, freed := needs.Freed[d.Repository][d.Digest]; d.Stage == plan.Manifests && !freed {
			needs.Keep(d.Repository, d.Digest)
		}
	}
	for _, size := range needs.Inventory.CutOff {
		p.Bytes += size
	}
	for _, d := range todo.Deletions {
		switch {
		case d.Stage == plan.Manifests && needs.Manifests[d.Repository][d.Digest]:
			p.Untagged = append(p.Untagged, Untagged{d.Repository, d.Digest, needs.Inventory.Size(d.Digest)})
			p.count(d.Repository, Counts{Untagged: 1})
		case d.Stage == plan.Blobs && needs.Blobs[d.Digest]:
			p.UntaggedBytes += needs.Inventory.Blobs[d.Digest].Size
		case d.Stage == plan.Blobs:
			p.Bytes += needs.Inventory.Blobs[d.Digest].Size
		}
	}
}
