package garbage

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
)

// shown is how many tags and manifests a preview names of each.
const shown = 1000

// Preview is what a collection would delete, those without a tag among it.
type Preview struct {
	At     time.Time
	Report *Report
	// Tags are what the rules of retention would delete, also while they are set to a dry
	// run. TagCount is of all of them.
	Tags     []Retired
	TagCount int
	// Aging are tags that a rule keeps for their age alone, the next to go first. AgingCount is of all of them.
	Aging      []Retired
	AgingCount int
	// Untagged are manifests that nothing needs. UntaggedCount is of all of them.
	Untagged      []Untagged
	UntaggedCount int
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

// Preview is the last one, nil without; and whether another one is on its way.
func (c *Collector) Preview() (last *Preview, underWay bool, err error) {
	c.preview.mutex.Lock()
	defer c.preview.mutex.Unlock()
	return c.preview.last, c.preview.underWay, c.preview.err
}

func (c *Collector) look(ctx context.Context) (*Preview, error) {
	p := &Preview{At: time.Now()}
	run := c.run(Request{DryRun: true, DeleteUntagged: true}, io.Discard)
	if err := run.dry(ctx); err != nil {
		return nil, err
	}
	p.Report = run.report
	p.Report.Took = time.Since(p.At)
	inventory := run.todo.needs.inventory
	p.addTags(inventory, c.options.Retention)
	for _, d := range run.todo.deletions {
		if d.stage == manifests {
			if p.UntaggedCount++; len(p.Untagged) < shown {
				p.Untagged = append(p.Untagged, Untagged{d.repository, d.digest, inventory.size(d.digest)})
			}
		}
	}
	return p, nil
}

func (p *Preview) addTags(i *inventory, retention Retention) {
	for _, name := range sorted(i.repositories) {
		r := i.repositories[name]
		list, number := retention.leave(name, r.aged())
		for _, each := range list {
			tag := r.tags[each.name]
			retired := Retired{name, each.name, ruleName(retention, number), tag.current, tag.pushed, each.until}
			if each.until.After(p.At) {
				p.Aging = append(p.Aging, retired)
			} else if p.TagCount++; len(p.Tags) < shown {
				p.Tags = append(p.Tags, retired)
			}
		}
	}
	slices.SortStableFunc(p.Aging, func(a, b Retired) int { return a.Until.Compare(b.Until) })
	p.AgingCount = len(p.Aging)
	p.Aging = slices.Clip(slices.Clone(p.Aging[:min(shown, p.AgingCount)]))
}

// size is of a manifest with all that it needs itself.
func (i *inventory) size(d digest.Digest) int64 {
	size := i.blobs[d].size
	for _, each := range i.manifests[d].Blobs {
		size += i.blobs[each].size
	}
	return size
}
