package garbage

import (
	"context"
	"slices"
	"testing"
	"time"

	"container-registry/server/internal/garbage/retention"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/writes"
)

// TestTell has observers told of what a rule deletes, and of the manifest that goes with it. They are told when
// writers go on, before what those do is passed on. They are told of nothing that a dry run would delete.
func TestTell(t *testing.T) {
	r := serve(t, folder(t), "a", quick, Options{Retention: retention.Policy{Rules: []retention.Rule{{KeepTags: []string{"keep"}}}}})
	gone := r.Push(t, "app", "1", registrytest.Layer(1, 100))
	r.Push(t, "app", "keep", registrytest.Layer(2, 100))
	var told []writes.Write
	var held time.Time
	holdBack := func() func() {
		held = time.Now()
		return func() { held = time.Time{} }
	}
	r.collector.Tell(holdBack, func(ctx context.Context, w writes.Write) {
		if held.IsZero() || w.Time.Before(held) {
			t.Errorf("what happens since is passed on before %+v", w)
		}
		// If it were told during the pause, the pause would last this long.
		r.Push(t, "app", "keep", registrytest.Layer(3, 100))
		told = append(told, w)
	})
	r.collect(t, Request{DryRun: true})
	if len(told) > 0 {
		t.Errorf("a dry run tells %+v", told)
	}
	r.collect(t, Request{})
	if !held.IsZero() {
		t.Error("what happens is held back afterwards")
	}
	if len(told) < 2 || told[0].Kind != writes.Tag || time.Since(told[0].Time) > time.Minute ||
		!slices.Equal(told[0].Tags, []writes.TagChange{{Name: "1", From: gone}}) || told[0].Reason != "retention: rule 1 (keep tags keep)" {
		t.Fatalf("%+v", told)
	}
	manifests := slices.DeleteFunc(told[1:], func(w writes.Write) bool { return w.Kind != writes.Manifest || w.Digest != gone })
	if len(manifests) != 1 || manifests[0].Reason != "garbage collection" || manifests[0].Action != writes.Delete {
		t.Errorf("%+v", told)
	}
}
