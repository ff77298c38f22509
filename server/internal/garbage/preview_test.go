package garbage

import (
	"context"
	"fmt"
	"testing"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/registrytest"
)

// TestOrders has a server find out what a collection would delete, and collect, when it is
// told to and has no schedule.
func TestOrders(t *testing.T) {
	retention := Retention{DryRun: true, Rules: []Rule{{KeepNewest: 1}}}
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
	waitFor(t, func() bool {
		var underWay bool
		last, underWay, _ = r.collector.Preview()
		return last != nil && !underWay
	})
	if len(last.Tags) != 1 || last.Counts[last.Tags[0].Repository].Tags != 1 || last.Tags[0].Tag != "1" || last.Tags[0].Digest != old || last.Tags[0].Rule == "" || last.Tags[0].Pushed.IsZero() {
		t.Errorf("tags: %+v", last.Tags)
	}
	if len(last.Untagged) != 1 || last.Untagged[0].Digest != lost || last.Untagged[0].Size < 100 || last.Report.Bytes < 100 {
		t.Errorf("untagged: %+v, %d bytes", last.Untagged, last.Report.Bytes)
	}
	if tags := r.Tags(t, "app"); len(tags) != 2 || len(r.collector.Runs()) > 0 {
		t.Errorf("it deleted: %v", tags)
	}
	waitFor(t, func() bool { return r.collector.CollectSoon(true) })
	waitFor(t, func() bool { return r.collector.Totals().Manifests == 1 })
}

// TestNamed has a repository with more than is named of one, and a registry with more than is
// named of all.
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
