package garbage

import (
	"errors"
	"io"
	"testing"
	"time"

	"container-registry/server/internal/fence"
	"container-registry/server/internal/registrytest"
)

// TestHistory has a server tell of the collections it carried out.
func TestHistory(t *testing.T) {
	r := serve(t, folder(t), "server", fence.TimingOf("filesystem"), Options{DeleteUntagged: true, Schedule: "0 3 * * *"})
	r.Push(t, "app", "latest", registrytest.Layer(1, 100))
	r.Push(t, "app", "latest", registrytest.Layer(2, 100))
	told := 0
	r.collector.AfterEach(func() { told++ })

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

	// Another server is at it.
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

// TestManyRuns counts all, one that failed too, and remembers the latest.
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
