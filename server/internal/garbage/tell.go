package garbage

import (
	"context"
	"time"

	"container-registry/server/internal/writes"
)

// Tell has observers told of each manifest and tag that collections delete, when writers go on,
// before what those do is passed on. To be called before there is any collection.
func (c *Collector) Tell(holdBack writes.HoldBack, observers ...writes.Observer) {
	c.holdBack, c.observers = holdBack, observers
}

// note is for what was deleted, in a pause: whoever is told may take longer than a pause may.
func (r *run) note(d deletion) {
	w := writes.Write{Time: time.Now(), Action: writes.Delete, Repository: d.repository, Reason: "garbage collection"}
	switch d.stage {
	case tags:
		if d.digest == "" {
			// Nobody was told of its push, which came to no end.
			return
		}
		w.Kind, w.Tags = writes.Tag, []writes.TagChange{{Name: d.tag, From: d.digest}}
		if d.rule != "" {
			w.Reason = "retention: " + d.rule
		}
	case manifests:
		w.Kind, w.Digest = writes.Manifest, d.digest
	default:
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if last := len(r.noted) - 1; last >= 0 && d.stage == tags && r.noted[last].Repository == w.Repository && r.noted[last].Reason == w.Reason {
		r.noted[last].Tags = append(r.noted[last].Tags, w.Tags...)
		return
	}
	r.noted = append(r.noted, w)
}

// tell is called when writers go on.
func (r *run) tell(ctx context.Context) {
	r.mutex.Lock()
	noted := r.noted
	r.noted = nil
	r.mutex.Unlock()
	for _, w := range noted {
		for _, observe := range r.observers {
			observe(context.WithoutCancel(ctx), w)
		}
	}
}
