package page

import (
	"cmp"
	"context"
	"slices"
	"time"

	"container-registry/server/internal/images"
	"container-registry/server/internal/layout"
)

// manyPushed is the number of tags up to which they can be sorted by their push, for which each tag is read.
// Sorting by size reads the whole image of each, and is limited to manyTags.
const manyPushed = 1000

// waysFor are the ways to sort so many tags.
func waysFor(tags int) []way {
	ways := []way{{"name", "Name"}}
	if tags <= manyPushed {
		ways = append(ways, way{"pushed", "Last push"})
	}
	if tags <= manyTags {
		ways = append(ways, way{"size", "Size"})
	}
	return ways
}

// orderedTags are the tags of a page.
type orderedTags struct {
	// by is what they are sorted by.
	by   string
	rows []images.Summary
	// seen is the number of tags for people that were read for that. pushed is when they were pushed, without
	// those that are known to be broken.
	seen   int
	pushed map[string]time.Time
}

// inOrder reads no more tags than the order needs. Those that are equal in it are sorted by name.
func (p *Page) inOrder(ctx context.Context, repository string, names, companions []string, part pager, by string) (o orderedTags, err error) {
	o.by = "name"
	if slices.ContainsFunc(waysFor(len(names)), func(each way) bool { return each.key == by }) {
		o.by = by
	}
	if o.by == "name" {
		names = names[part.From:part.To]
	}
	shown, err := p.images.Tags(ctx, repository, names)
	if err != nil {
		return o, err
	}
	o.pushed = map[string]time.Time{}
	for _, each := range shown {
		if layout.IsCompanion(each.Name) {
			continue
		}
		o.seen++
		if each.Digest != "" {
			o.pushed[each.Name] = each.Pushed
		}
	}
	if o.by == "pushed" {
		slices.SortStableFunc(shown, func(a, b images.Tag) int { return b.Pushed.Compare(a.Pushed) })
		shown = shown[part.From:part.To]
	}
	if o.rows, err = p.images.Summaries(ctx, repository, shown, companions); err != nil {
		return o, err
	}
	for _, each := range o.rows {
		if each.Kind == images.Broken {
			delete(o.pushed, each.Name)
		}
	}
	if o.by == "size" {
		slices.SortStableFunc(o.rows, func(a, b images.Summary) int { return cmp.Compare(b.Size, a.Size) })
		o.rows = o.rows[part.From:part.To]
	}
	return o, nil
}

// leaving says when tags of a repository go, by the times when all that can be pulled were pushed. If not all
// are known, it uses the last preview of a collection.
func (p *Page) leaving(repository string, pushed map[string]time.Time, all bool) func(images.Tag) *going {
	if all {
		list, rule := p.Collector.Options().Retention.Leave(repository, pushed)
		until := make(map[string]time.Time, len(list))
		for _, each := range list {
			until[each.Name] = each.Until
		}
		return func(tag images.Tag) *going {
			at, leaves := until[tag.Name]
			if !leaves {
				return nil
			}
			goes := p.goes(rule, at)
			return &goes
		}
	}
	last, _, _ := p.Collector.Preview()
	return func(tag images.Tag) *going {
		until, rule, leaves := last.Leaving(repository, tag.Name, tag.Digest, tag.Pushed)
		if !leaves {
			return nil
		}
		goes := p.goes(rule, until)
		return &goes
	}
}
