package garbage

import (
	"io"
	"slices"
	"testing"

	"container-registry/server/internal/registrytest"
)

// TestOneWrongAnswer has a store say once that something is not there, in turn for everything that a collection
// asks for. Nothing is lost.
func TestOneWrongAnswer(t *testing.T) {
	driver := folder(t)
	r := serve(t, driver, "a", quick, Options{})
	r.Push(t, "app", "1", registrytest.Layer(1, 100))
	part := r.Push(t, "app", "part", registrytest.Layer(2, 100))
	r.PushIndex(t, "app", "2", part)
	r.Delete(t, "app", "part")
	r.PushAbout(t, "app", "", part)
	layer := registrytest.Layer(3, 100)
	r.PushBlob(t, "app", sum512(layer), layer)
	r.pushImage(t, "app", "3", sum512(layer), len(layer))
	whole := r.Pulled(t)
	store := &registrytest.Forgetful{StorageDriver: driver}
	// It knows nothing of what clients count on.
	collector := serve(t, store, "b", quick, Options{DeleteUntagged: true}).collector
	// The first collection finds nothing of earlier ones.
	for _, dry := range []bool{false, true} {
		store.Asked = nil
		if _, err := collector.Collect(t.Context(), Request{DryRun: dry}, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	for _, question := range slices.Compact(slices.Sorted(slices.Values(store.Asked))) {
		store.Lost = question
		report, err := collector.Collect(t.Context(), Request{}, io.Discard)
		if store.Lost != "" {
			t.Errorf("nobody asked to %s", question)
		}
		if got := r.Pulled(t); err != nil || !slices.Equal(got, whole) {
			t.Fatalf("nothing there to %s: %v\n%s\n%q", question, err, report, got)
		}
	}
}
