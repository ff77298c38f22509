package garbage

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestHistory has a server tell of the collections that it carried out.
func TestHistory(t *testing.T) {
	r := serve(t, folder(t), "server", fence.TimingOf("filesystem"), Options{DeleteUntagged: true, Schedule: "0 3 * * *"})
	r.Push(t, "app", "latest", registrytest.Layer(1, 100))
	r.Push(t, "app", "latest", registrytest.Layer(2, 100))
	told := 0
	r.collector.AfterEach(func() { told += len(r.collector.Runs()) })

	r.collect(t, Request{DryRun: true})
	if totals := r.collector.Totals(); told != 0 || totals != (Totals{}) || len(r.collector.Runs()) > 0 {
		t.Errorf("a dry run counts: %+v", totals)
	}

	report := r.collect(t, Request{})
	want := Totals{Succeeded: 1, Manifests: 1, Blobs: int64(report.Blobs.Deleted), Bytes: report.Bytes}
	totals := r.collector.Totals()
	if time.Since(totals.LastSuccess) > time.Minute || report.Bytes < 100 {
		t.Errorf("%+v, %d bytes", totals, report.Bytes)
	}
	totals.LastSuccess = time.Time{}
	if totals != want || told != 1 {
		t.Errorf("got %+v, want %+v", totals, want)
	}

	// Another server is collecting.
	hold, ctx, err := r.fence.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.collector.Collect(t.Context(), Request{}, io.Discard); !errors.As(err, new(fence.Busy)) {
		t.Error(err)
	}
	hold.Release(ctx)
	if runs := r.collector.Runs(); len(runs) != 1 || runs[0].Report != report || runs[0].Err != nil {
		t.Errorf("%+v", runs)
	}

	next := r.collector.Next()
	if len(next) != 2 || next[1].Sub(next[0]) != 24*time.Hour || !next[0].After(time.Now()) {
		t.Errorf("next %v", next)
	}
}

// TestManyRuns expects all collections to be counted, including one that failed, and the latest to be
// remembered.
func TestManyRuns(t *testing.T) {
	var h history
	h.end(t.Context(), Run{Report: &Report{Bytes: 7}, Err: errors.New("away")})
	for range 2 * remembered {
		h.end(t.Context(), Run{Report: &Report{Bytes: 1}})
	}
	if h.totals.Failed != 1 || h.totals.Succeeded != 2*remembered || h.totals.Bytes != 7+2*remembered || len(h.runs) != remembered {
		t.Errorf("%+v, %d runs", h.totals, len(h.runs))
	}
}

// TestKept has servers tell of collections from before their start, and of those of another server.
func TestKept(t *testing.T) {
	spy := registrytest.NewSpy(folder(t))
	first := serve(t, spy, "first", quick, Options{})
	began := func(r *rig) (times []time.Time) {
		if err := r.collector.recall(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, run := range r.collector.Runs() {
			times = append(times, run.Began.UTC())
		}
		return times
	}
	if got := began(first); got != nil {
		t.Errorf("before any: %v", got)
	}
	first.Push(t, "app", "latest", registrytest.Layer(1, 100))
	first.Delete(t, "app", "latest")
	report := first.collect(t, Request{DeleteUntagged: true})

	second := serve(t, spy, "second", quick, Options{})
	if got := began(second); len(got) != 1 {
		t.Fatalf("after a start: %v", got)
	}
	if got := second.collector.Runs()[0]; got.Err != nil || !reflect.DeepEqual(got.Report, report) || report.Bytes < 100 {
		t.Errorf("got %+v, want %+v", got.Report, report)
	}
	totals := second.collector.Totals()
	if age := time.Since(totals.LastSuccess); age < 0 || age > time.Minute {
		t.Errorf("the last success was %s ago", age)
	}
	if totals.LastSuccess = (time.Time{}); totals != (Totals{}) {
		t.Errorf("it counts what another one did: %+v", totals)
	}

	// The store forgets no collection that another server knows, however many there are, nor one that failed.
	second.Push(t, "app", "latest", registrytest.Layer(2, 100))
	second.Delete(t, "app", "latest")
	spy.Before = func(action, path string) error {
		if action == "delete" && strings.HasPrefix(path, layout.Root) {
			return errors.New("refused")
		}
		return nil
	}
	if _, err := second.collector.Collect(t.Context(), Request{DeleteUntagged: true}, io.Discard); err == nil {
		t.Fatal("a collection that may not delete succeeds")
	}
	spy.Before = func(string, string) error { return nil }
	third := serve(t, spy, "third", quick, Options{})
	if began(third); len(third.collector.Runs()) != 2 || third.collector.Runs()[0].Err == nil {
		t.Errorf("%+v", third.collector.Runs())
	}
	for name, each := range map[string]*Collector{"the one that failed": second.collector, "another one": third.collector} {
		if totals := each.Totals(); !totals.LastFailure.After(totals.LastSuccess) {
			t.Errorf("%s: the last failure was at %s, the last success at %s", name, totals.LastFailure, totals.LastSuccess)
		}
	}
	for range remembered {
		third.collect(t, Request{})
	}
	if got, want := began(first), began(third); len(got) != remembered || !reflect.DeepEqual(got, want) {
		t.Errorf("%d known to the first: %v, to the third: %v", len(got), got, want)
	}

	// A power cut left half of the file.
	if err := spy.PutContent(t.Context(), keptAt, []byte(`[{"began":`)); err != nil {
		t.Fatal(err)
	}
	fourth := serve(t, spy, "fourth", quick, Options{})
	if got := began(fourth); got != nil {
		t.Errorf("of half a record: %v", got)
	}
	fourth.collect(t, Request{})
	if got := began(first); len(got) != remembered || !got[0].Equal(fourth.collector.Runs()[0].Began) {
		t.Errorf("after that: %v", got)
	}
}

// TestKeptOfTheFuture has collections from a server whose clock was ahead. They would be the latest until that
// time, and in the end all that is remembered.
func TestKeptOfTheFuture(t *testing.T) {
	driver, now := folder(t), time.Now()
	content, err := json.Marshal([]kept{{Began: now.Add(time.Hour), Report: &Report{}}, {Began: now.Add(-time.Hour), Report: &Report{}}})
	if err == nil {
		err = driver.PutContent(t.Context(), keptAt, content)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, driver, "a", quick, Options{})
	if err := r.collector.recall(t.Context()); err != nil {
		t.Fatal(err)
	}
	if runs := r.collector.Runs(); len(runs) != 1 || runs[0].Began.After(now) || r.collector.Totals().LastSuccess.After(now) {
		t.Errorf("%+v", runs)
	}
}
