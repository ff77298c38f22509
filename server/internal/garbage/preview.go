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

// A preview names so many tags and manifests of each kind in one repository, so that many have
// some, and in all.
const (
	namedOfOne = 200
	namedOfAll = 10_000
)

// Preview is what a collection would delete, and what else would go by the choice of it: manifests
// without a tag.
type Preview struct {
	At time.Time
	// Bytes are what goes in any case, and UntaggedBytes what goes with Untagged alone.
	Bytes, UntaggedBytes int64
	// Tags are what the rules of retention would delete, also while they are set to a dry run.
	Tags []Retired
	// Aging are tags that a rule keeps for their age alone, the next to go first.
	Aging []Retired
	// Untagged are manifests that nothing needs, but for those that go with their tags.
	Untagged []Untagged
	// Counts are of all of them by repository, also of those that are not named.
	Counts map[string]Counts

	retention retention.Policy
	// leaving are all of Tags and Aging, also those that are not named. Names of a hundred thousand
	// would take too much memory.
	leaving map[uint64]struct{}
	seed    maphash.Seed
}

// naming is what a tag of a repository names.
type naming struct {
	repository, tag string
	digest          digest.Digest
}

// Leaving says of a tag that was pushed at a time whether the rules do not keep it for ever: until
// when they do, zero for not at all, and the rule. Without a look nothing is known to leave.
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

// Counts are how many there are of each kind.
type Counts struct{ Tags, Aging, Untagged int }

// Plus adds others.
func (c Counts) Plus(others Counts) Counts {
	return Counts{c.Tags + others.Tags, c.Aging + others.Aging, c.Untagged + others.Untagged}
}

// Retired is a tag that a rule does not keep, or not for ever.
type Retired struct {
	Repository, Tag, Rule string
	Digest                digest.Digest
	Pushed                time.Time
	// Until is when its age no longer keeps it, if nothing is pushed meanwhile; zero for a tag whose age does not matter.
	Until time.Time
}

// Untagged is a manifest without a tag.
type Untagged struct {
	Repository string
	Digest     digest.Digest
	Size       int64
}

// preview is the last one.
type preview struct {
	mutex    sync.Mutex
	last     *Preview
	err      error
	underWay bool
}

// Options are those of the configuration.
func (c *Collector) Options() Options { return c.options }

// PreviewSoon has Run find out what a collection would delete; false while it has something
// else to do.
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

// Preview is the last one, nil without and where something was deleted since; and whether another
// one is on its way.
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

// named are those of a list that are kept, in its order.
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

// addUntagged tells what only goes by the choice of it: without that, these manifests would keep
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
