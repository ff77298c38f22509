package holdings

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
	"container-registry/server/internal/writes"
)

// shared are the holdings of one of several servers of a store.
func shared(s shelf) *Holdings {
	h := Of(s.driver, registrytest.Silent()).Share()
	h.others.pace = time.Millisecond
	return h
}

// TestOthers expects servers to know of each other's pushes, deletions and collections without a count of
// everything.
func TestOthers(t *testing.T) {
	s := filled(t)
	here, there := shared(s), shared(s)
	run(t, here)
	eventually := run(t, there)
	counted := func(h *Holdings) func() bool { return func() bool { _, counted := h.At(); return counted } }
	eventually("the first count", counted(here))
	eventually("the first count there", counted(there))

	s.manifest("fresh/one", "m4", "1")
	here.Observe(t.Context(), writes.Write{Action: writes.Push, Kind: writes.Manifest, Repository: "fresh/one"})
	fresh := Repository{Name: "fresh/one", Tags: 1, Manifests: 1, Bytes: 2}
	eventually("a push", func() bool { return slices.Equal(known(there), []Repository{fresh, team, app}) })

	s.remove(layout.RepositoryPath("team/app"))
	here.Observe(t.Context(), writes.Write{Action: writes.Delete, Kind: writes.Manifest, Repository: "team/app"})
	eventually("a deletion", func() bool { return slices.Equal(known(there), []Repository{fresh, team}) })

	for _, content := range []string{"another", "m3", "signed"} {
		s.remove(layout.BlobPath(digest.FromString(content)))
	}
	here.Refresh()
	eventually("a collection", func() bool { return there.Total().Bytes == fresh.Bytes+team.Bytes })
}

// TestTold looks at the objects in the store.
func TestTold(t *testing.T) {
	s := shelf{t, filled(t).driver}
	ctx, now := t.Context(), time.Now()
	names := func() []string {
		t.Helper()
		all, err := layout.Names(ctx, s.driver, layout.Changes)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(all)
		return all
	}
	// These are from servers whose clocks are two hours behind and ahead.
	behind, ahead := fmt.Sprintf("%d-x", now.Add(-2*time.Hour).UnixMilli()), fmt.Sprintf("%d-z", now.Add(2*time.Hour).UnixMilli())
	for _, name := range []string{behind, "not-ours"} {
		s.put(path.Join(layout.Changes, name), "team\n../etc\nteam/app")
	}
	h := shared(s)
	var heard []string
	note := func(name string) { heard = append(heard, name) }
	step := func(what string, do func() error, want ...string) {
		t.Helper()
		heard = nil
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if slices.Sort(heard); !slices.Equal(heard, want) {
			t.Errorf("%s: %v", what, heard)
		}
	}
	listen := func() error { return h.others.listen(ctx, now, note) }
	step("nothing to tell", func() error { return h.others.tell(ctx, now) })
	if got := names(); len(got) != 2 {
		t.Errorf("nothing was told: %v", got)
	}
	step("told before it began", func() error { return h.others.begin(ctx) })
	step("nothing new", listen)
	for range 2 {
		h.Changed("own")
	}
	step("to tell", func() error { return h.others.tell(ctx, now) })
	if got := names(); len(got) != 3 {
		t.Errorf("what may be news to others is gone: %v", got)
	}
	step("its own", listen)
	s.put(path.Join(layout.Changes, ahead), "team\nteam/app")
	step("another one's", listen, "team", "team/app")
	step("once", listen)
	late := now.Add(remembered + time.Minute)
	s.put(path.Join(layout.Changes, fmt.Sprintf("%d-y", now.Add(-2*time.Hour).UnixMilli())), "late/y")
	step("what is old goes", func() error { return h.others.listen(ctx, late, note) }, "late/y")
	if got := names(); len(got) != 2 || !slices.Contains(got, "not-ours") || !strings.HasSuffix(got[0], "-y") {
		t.Errorf("what is old stays: %v", got)
	}

	// What can't be told is told later.
	h.Changed("late")
	h.others.store = &failing{s.driver, true}
	if err := h.others.tell(ctx, now); err == nil || !h.others.news["late"] {
		t.Errorf("%v: %v", err, h.others.news)
	}
	h.others.store = s.driver
	if h.TellRest(); len(h.others.news) > 0 || len(names()) != 3 {
		t.Errorf("the rest was not told: %v", h.others.news)
	}
	// A name must not be a path that leads elsewhere.
	h.heard("../etc")
	h.heard("team")
	if want := map[string]bool{"team": true, "own": true, "late": true}; len(h.changed) != len(want) || h.changed["../etc"] {
		t.Errorf("%v", h.changed)
	}
}
