package garbage

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/garbage/retention"
	"container-registry/server/internal/poll"
	"container-registry/server/internal/registrytest"
)

// TestOrders has a server without a schedule find out what a collection would delete, and collect, when it is
// told to.
func TestOrders(t *testing.T) {
	retention := retention.Policy{DryRun: true, Rules: []retention.Rule{{KeepNewest: 1}}}
	r := serve(t, folder(t), "server", fence.TimingOf("filesystem"), Options{Retention: retention})
	old := r.Push(t, "app", "1", registrytest.Layer(1, 100))
	lost := r.Push(t, "app", "2", registrytest.Layer(2, 100))
	r.Push(t, "app", "2", registrytest.Layer(3, 100))
	if last, underWay, err := r.collector.Preview(); last != nil || underWay || err != nil {
		t.Errorf("before there was any: %v, %t, %v", last, underWay, err)
	}
	if !r.collector.PreviewSoon() || r.collector.CollectSoon(true) {
		t.Error("one order, and no more, may wait")
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.collector.Run(ctx) }()
	defer func() { cancel(); <-ended }()

	var last *Preview
	poll.Until(t, "a preview", func() bool {
		var underWay bool
		last, underWay, _ = r.collector.Preview()
		return last != nil && !underWay
	})
	if len(last.Tags) != 1 || last.Counts[last.Tags[0].Repository].Tags != 1 || last.Tags[0].Tag != "1" || last.Tags[0].Digest != old || last.Tags[0].Rule == "" || last.Tags[0].Pushed.IsZero() {
		t.Errorf("tags: %+v", last.Tags)
	}
	if len(last.Untagged) != 1 || last.Untagged[0].Digest != lost || last.Untagged[0].Size < 100 || last.UntaggedBytes < 100 {
		t.Errorf("untagged: %+v, %d bytes", last.Untagged, last.UntaggedBytes)
	}
	if tags := r.Tags(t, "app"); len(tags) != 2 || len(r.collector.Runs()) > 0 {
		t.Errorf("it deleted: %v", tags)
	}
	poll.Until(t, "the end of what is ordered", func() bool { return r.collector.CollectSoon(true) })
	poll.Until(t, "a collection", func() bool { return r.collector.Totals().Manifests == 1 })
}

// TestNamed has a repository with more items than are named of one repository, and a registry with more than are
// named in all.
func TestNamed(t *testing.T) {
	of := func(repository string, count int) []Retired {
		list := make([]Retired, count)
		for i := range list {
			list[i] = Retired{Repository: repository, Tag: fmt.Sprint(i)}
		}
		return list
	}
	list := named(append(of("team-a/app", namedOfOne+1000), of("team-z/app", 3)...), Retired.of)
	if len(list) != namedOfOne+3 || list[0].Tag != "0" || list[namedOfOne].Repository != "team-z/app" {
		t.Errorf("%d of two repositories", len(list))
	}
	var all []Retired
	for i := range namedOfAll / namedOfOne * 2 {
		all = append(all, of(fmt.Sprint(i), namedOfOne)...)
	}
	if list := named(all, Retired.of); len(list) != namedOfAll {
		t.Errorf("%d of many", len(list))
	}
}

// TestLeavingOfMany has a repository with more leaving tags than are named of one repository.
func TestLeavingOfMany(t *testing.T) {
	r := serve(t, folder(t), "server", quick, Options{Retention: retention.Policy{Rules: []retention.Rule{{KeepNewest: 2, KeepDays: 30, KeepTags: []string{"1"}}}}})
	d := r.Push(t, "app", "0", registrytest.Layer(1, 100))
	count := namedOfOne + 10
	for i := range count {
		r.Retag(t, "app", "0", fmt.Sprint(i))
	}
	found, pushed := r.looked(t), time.Now()
	if len(found.Aging) != namedOfOne {
		t.Errorf("%d are named", len(found.Aging))
	}
	for i := range count {
		until, rule, leaves := found.Leaving("app", fmt.Sprint(i), d, pushed)
		if want := i != 1 && i < count-2; leaves != want || leaves && (rule == "" || until.Sub(pushed) != 30*24*time.Hour) {
			t.Errorf("%d: %t, by %s until %s", i, leaves, rule, until)
		}
	}
	if _, _, leaves := found.Leaving("app", "0", digest.FromString("another"), pushed); leaves {
		t.Error("one that names another image since leaves")
	}
	if _, _, leaves := found.Leaving("other", "0", d, pushed); leaves {
		t.Error("one of another repository leaves")
	}
}

// looked is a preview as the page shows it.
func (r *rig) looked(t *testing.T) *Preview {
	t.Helper()
	found, err := r.collector.look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.collector.preview.last = found
	return found
}

// TestPreviewOfFreed distinguishes what goes with its tags, now or before, from what goes only if somebody
// chooses that.
func TestPreviewOfFreed(t *testing.T) {
	driver := registrytest.NewSpy(folder(t))
	leave(t, driver)
	r := serve(t, driver, "second", quick, newest)
	second := r.tagged(t, "app", "2")
	lost := r.Push(t, "app", "2", registrytest.Layer(3, 300))
	r.Push(t, "app", "2", registrytest.Layer(4, 400))
	needed := r.Push(t, "other", "1", registrytest.Layer(5, 500))
	r.Push(t, "other", "2", registrytest.Layer(6, 600))
	// The image would go with its tag, but an index without a tag needs it.
	index := r.PushIndex(t, "other", "", needed)
	r.Push(t, "app", "3", registrytest.Layer(7, 700))
	r = serve(t, driver, "third", forgetful, newest)
	found := r.looked(t)
	var untagged []digest.Digest
	for _, each := range found.Untagged {
		untagged = append(untagged, each.Digest)
	}
	slices.Sort(untagged)
	// The tag 2 has moved on twice.
	if want := slices.Sorted(slices.Values([]digest.Digest{second, lost, needed, index})); !slices.Equal(untagged, want) {
		t.Errorf("untagged: %v, want %v", untagged, want)
	}
	report := r.collect(t, Request{})
	chosen := r.collect(t, Request{DeleteUntagged: true})
	if found.Bytes != report.Bytes || found.UntaggedBytes != chosen.Bytes || chosen.Manifests.Deleted != len(untagged) || report.Bytes == 0 {
		t.Errorf("found %d and %d bytes\n%s\n%s", found.Bytes, found.UntaggedBytes, report, chosen)
	}
}

// TestPreviewOfWhatIsGone expects a preview to be forgotten with the first collection, of any server, that
// deletes anything.
func TestPreviewOfWhatIsGone(t *testing.T) {
	driver := folder(t)
	r := serve(t, driver, "a", quick, Options{})
	r.Delete(t, "app", r.Push(t, "app", "1", registrytest.Layer(1, 100)).String())
	stays := func(when string, want bool) {
		t.Helper()
		if last, _, _ := r.collector.Preview(); (last != nil) != want {
			t.Errorf("%s: %v", when, last)
		}
	}
	r.looked(t)
	r.collect(t, Request{DryRun: true})
	stays("after a dry run", true)
	r.collect(t, Request{})
	stays("after a collection", false)
	r.looked(t)
	stays("after another look", true)
	r.collect(t, Request{})
	stays("after a collection that deleted nothing", true)
	other := serve(t, driver, "b", quick, Options{})
	other.Delete(t, "app", other.Push(t, "app", "1", registrytest.Layer(1, 100)).String())
	other.collect(t, Request{})
	if err := r.collector.recall(t.Context()); err != nil {
		t.Fatal(err)
	}
	stays("after one of another server", false)
}
