package garbage

import (
	"context"
	"encoding/json"

	"container-registry/server/internal/garbage/plan"
	"container-registry/server/internal/layout"
)

const (
	// freedAt is where a store remembers what the rules freed, next to its latest collections.
	freedAt = layout.History + "/freed"
	// mostFreed take some ten megabytes. If a collection frees more than that and is cut off, the next one
	// does not find the others.
	mostFreed = 100_000
)

// freedBefore is what earlier collections of any server freed. If it can't be read, these manifests stay
// like any manifest without a tag.
func (c *Collector) freedBefore(ctx context.Context) plan.Freed {
	content, err := layout.Read(ctx, c.driver, freedAt)
	if layout.IsMissing(err) {
		return nil
	}
	var list plan.Freed
	if err == nil {
		// A power cut may have left half of it.
		err = json.Unmarshal(content, &list)
	}
	if err != nil {
		c.log.WithError(err).Warn("the store does not say what retention freed before; what is left of it stays as manifests without a tag")
		return nil
	}
	return list
}

// remember tells the next collection what this one frees, before any tag is deleted. If that can't be
// written, as on a full disk, the collection goes on: deleting matters more.
func (r *run) remember(ctx context.Context) {
	list := r.todo.Needs.Freed
	if len(list) == 0 && len(r.freed) == 0 {
		return
	}
	content, err := json.Marshal(list.Most(mostFreed))
	if err == nil {
		err = r.driver.PutContent(ctx, freedAt, content)
	}
	if err != nil {
		r.log.WithError(err).Warn("the store could not be told what retention frees; what this collection leaves of it stays as manifests without a tag")
	}
}
