package garbage

import (
	"context"
	"time"

	"container-registry/server/internal/garbage/plan"
	"container-registry/server/internal/writes"
)

// Tell has observers told of each manifest and tag that collections delete. They are told when writers go
// on, before what these writers do is passed on. It must be called before any collection.
func (c *Collector) Tell(holdBack writes.HoldBack, observers ...writes.Observer) {
	c.holdBack, c.observers = holdBack, observers
}

// note records what was deleted in a pause. Observers are told later, because they may take longer than a
// pause may last.
func (r *run) note(d plan.Deletion) {
	w := writes.Write{Time: time.Now(), Action: writes.Delete, Repository: d.Repository, Reason: "garbage collection"}
	switch d.Stage {
	case plan.Tags:
		if d.Digest == "" {
			// The push of this tag was cut off, so no observer was told of it.
			return
		}
		w.Kind, w.Tags = writes.Tag, []writes.TagChange{{Name: d.Tag, From: d.Digest}}
		if d.Rule != "" {
			w.Reason = "retention: " + d.Rule
		}
	case plan.Manifests:
		w.Kind, w.Digest = writes.Manifest, d.Digest
	default:
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if last := len(r.noted) - 1; last >= 0 && d.Stage == plan.Tags && r.noted[last].Repository == w.Repository && r.noted[last].Reason == w.Reason {
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
