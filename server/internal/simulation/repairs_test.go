package simulation

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// edit replaces some text in a file.
type edit struct{ file, old, new string }

// repair is a part of the code that the search must miss if it is taken out.
type repair struct {
	name string
	// edits take the repair out.
	edits []edit
}

func repairs() []repair {
	noLapse := []edit{
		{"fence/claim.go", "time.AfterFunc(f.timing.Expiry/2, func", "time.AfterFunc(1000*f.timing.Expiry, func"},
		{"fence/hold.go", "h.lapse.Reset(h.fence.timing.Expiry/2 - (h.fence.clock() - begun))", ""},
	}
	return []repair{
		{"what a spared manifest needs goes", []edit{
			{"garbage/delete.go", "r.spared = append(r.spared, d)", ""},
			{"garbage/sweep.go", "	r.keepTouched(rest)\n", ""},
			{"fence/push.go", "p.Reference != p.Digest.String() || len(p.Tags) > 0 || p.hasSubject()", "true"},
		}},
		{"a whole collection during a push is not noticed", []edit{
			{"fence/state.go", "if slices.Equal(before.generations, after.generations) {", "if true {"},
		}},
		{"a push tells the collection too late", []edit{
			{"fence/push.go", "if err := f.tell(p.patience, h, p.Pushed); err != nil {", "if false {"},
		}},
		{"what can't be read is not taken for a sweep", []edit{
			{"fence/state.go", "h.Phase = phaseSweep", "h.Phase = phaseMark"},
		}},
		{"one holder hides another", []edit{
			{"fence/state.go", "return slices.DeleteFunc(slices.Clone(s.holders), func(h holder) bool { return h.ID == own })",
				"all := slices.DeleteFunc(slices.Clone(s.holders), func(h holder) bool { return h.ID == own })\n	return all[:min(1, len(all))]"},
		}},
		{"layers by another digest are not known", []edit{
			{"garbage/plan/needs.go", "if target, ok := n.Inventory.Aliases[d]; ok {", "if target, ok := n.Inventory.Aliases[d]; ok && false {"},
		}},
		{"a machine that was suspended goes on", append([]edit{
			{"simulation/store_test.go", "return time.Since(m.began) }", "return time.Since(m.began) - m.asleep() }"},
			{"fence/hold.go", "if err == nil && there == nil {", "if err == nil && there == nil && false {"},
		}, noLapse...)},
		{"deletions are not cut off", noLapse},
		{"the tag is written before it is sure", []edit{
			{"enginestore/enginestore.go", "push.holds && layout.TagFolder(path) != \"\" {", "push.holds && layout.TagFolder(path) != \"\" && false {"},
		}},
		{"what is about an image is not listed", []edit{
			{"enginestore/enginestore.go", "if err == nil && isRevision && ", "if false && "},
		}},
		{"what is about an image of another repository goes", []edit{
			{"garbage/plan/needs.go", "range n.elsewhere[d] {", "range n.elsewhere[\"\"] {"},
		}},
		{"links outlive what they lead to", []edit{
			{"garbage/plan/plan.go", "if !p.Needs.Manifests[r.Name][link.Digest] {", "if false {"},
		}},
		{"manifests of this server are not remembered", []edit{
			{"fence/push.go", "			f.notePush(p.Pushed)\n", ""},
		}},
		{"manifests are remembered before their tags are written", []edit{
			{"fence/push.go", "	stands = true\n", "	f.notePush(p.Pushed)\n"},
		}},
		{"a manifest is deleted before its tag is written", []edit{
			{"fence/untagging.go", "paths := []string{layout.RevisionPath(p.Repository, p.Digest)}", "var paths []string"},
		}},
		{"a tag that names something else by now is deleted", []edit{
			{"enginestore/enginestore.go", "ok && layout.TagFolder(path) == path {", "ok && layout.TagFolder(path) == path && false {"},
		}},
		{"a tag goes that another server has written, which does not wait", []edit{
			{"fence/untagging.go", "return slices.Contains(s.untaggings, tag) }) {", "return slices.Contains(s.untaggings, tag) && false }) {"},
		}},
		{"a tag goes that another server has written, which does not look", []edit{
			{"fence/untagging.go", "paths, awaited = append(paths, of)", "_, awaited = append(paths, of)"},
		}},
		{"a tag goes after its deletion has been suspended", []edit{
			{"fence/untagging.go", "if f.clock()-begun > f.timing.Expiry/2 {", "if false && f.clock()-begun > 0 {"},
			{"fence/untagging.go", "context.WithTimeoutCause(ctx, f.timing.Expiry/2, errLate)", "context.WithTimeoutCause(ctx, 1000*f.timing.Expiry, errLate)"},
		}},
		{"a holder that has just gone hides what it did", []edit{
			{"fence/state.go", "gone[id], again = true, true", "gone[id] = true"},
		}},
		{"what clients were told of is not kept", []edit{
			{"touched/touched.go", "	if t.counted(d) {", "	if false {"},
		}},
		{"what was pushed by its digest goes when its server was killed", []edit{
			{"garbage/plan/plan.go", "	p.Needs.keepPromised(forgotten)\n", ""},
		}},
		{"the cache outlives a pause", []edit{
			{"fence/fence.go", "	f.caches.Stop()\n", ""},
			{"fence/state.go", "		f.caches.Begin(generation)\n", "		if before == stopped && !f.begun {\n			f.begun = true\n			f.caches.Begin(generation)\n		}\n"},
			{"fence/state.go", "		f.generation = generation\n", "		before := f.generation\n		f.generation = generation\n"},
			{"fence/fence.go", "	epoch int\n", "	epoch int\n	begun bool\n"},
		}},
	}
}

// TestRepairsAreThere checks that each repair can be taken out. TestHoles does so, which takes long.
func TestRepairsAreThere(t *testing.T) {
	for _, each := range repairs() {
		overlay(t, each.edits)
	}
}

// overlay writes a file that tells the go command which files to read in place of others.
func overlay(t *testing.T, edits []edit) string {
	t.Helper()
	contents := map[string]string{}
	for _, each := range edits {
		file, err := filepath.Abs(filepath.Join("..", each.file))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := contents[file]; !ok {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			contents[file] = string(content)
		}
		if n := strings.Count(contents[file], each.old); n != 1 {
			t.Fatalf("%s has %q %d times", each.file, each.old, n)
		}
		contents[file] = strings.Replace(contents[file], each.old, each.new, 1)
	}
	replaced := map[string]string{}
	for file, content := range contents {
		copied := filepath.Join(t.TempDir(), filepath.Base(file))
		if err := os.WriteFile(copied, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		replaced[file] = copied
	}
	content, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
