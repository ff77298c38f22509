package garbage

import (
	"context"
	"encoding/json"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

const (
	// freedAt is where a store tells what the rules freed, beside its latest collections.
	freedAt = layout.History + "/freed"
	// mostFreed take some ten megabytes. Of more than that at once, the others are not found again
	// by a collection after one that was cut off.
	mostFreed = 100_000
)

// freed are manifests that no tag names since rules took those that did, by repository, each with
// when the link to it was written. Who pushes it again writes that anew, and then it is freed no
// longer.
//
// A collection keeps what is young and what clients count on, and may be cut off, when the tags
// are gone already. By this the next one knows from manifests without a tag that clients pushed
// which are to go.
type freed map[string]map[digest.Digest]int64

// most are no more than so many.
func (f freed) most(number int) freed {
	some := freed{}
	for _, name := range sorted(f) {
		for d, written := range f[name] {
			if number == 0 {
				return some
			}
			number--
			some.add(name, d, written)
		}
	}
	return some
}

func (f freed) add(repository string, d digest.Digest, written int64) {
	if f[repository] == nil {
		f[repository] = map[digest.Digest]int64{}
	}
	f[repository][d] = written
}

// freedBefore is what earlier collections freed, by way of any server. Without it what it named
// stays, like any manifest without a tag.
func (c *Collector) freedBefore(ctx context.Context) freed {
	content, err := layout.Read(ctx, c.driver, freedAt)
	if layout.IsMissing(err) {
		return nil
	}
	var list freed
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

// remember has the next collection know what this one frees, before any tag goes. Where that can't
// be written, as on a full disk, deleting matters more.
func (r *run) remember(ctx context.Context) {
	list := r.todo.needs.freed
	if len(list) == 0 && len(r.freed) == 0 {
		return
	}
	content, err := json.Marshal(list.most(mostFreed))
	if err == nil {
		err = r.driver.PutContent(ctx, freedAt, content)
	}
	if err != nil {
		r.log.WithError(err).Warn("the store could not be told what retention frees; what this collection leaves of it stays as manifests without a tag")
	}
}
