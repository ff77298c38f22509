package garbage

import (
	"context"
	"io"
	"slices"
	"sync"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/registrytest"
)

// forgetful is a store that says once of one thing that it is not there.
type forgetful struct {
	storagedriver.StorageDriver
	mutex sync.Mutex
	asked []string
	lost  string
}

func (f *forgetful) ask(question, path string) error {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	question += " " + path
	f.asked = append(f.asked, question)
	if f.lost != question {
		return nil
	}
	f.lost = ""
	return storagedriver.PathNotFoundError{Path: path}
}

func (f *forgetful) GetContent(ctx context.Context, path string) ([]byte, error) {
	if err := f.ask("get", path); err != nil {
		return nil, err
	}
	return f.StorageDriver.GetContent(ctx, path)
}

func (f *forgetful) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	if err := f.ask("stat", path); err != nil {
		return nil, err
	}
	return f.StorageDriver.Stat(ctx, path)
}

func (f *forgetful) List(ctx context.Context, path string) ([]string, error) {
	if err := f.ask("list", path); err != nil {
		return nil, err
	}
	return f.StorageDriver.List(ctx, path)
}

// TestOneWrongAnswer is of a store that says once of something that it is not there, of all that
// a collection asks for in turn: nothing is lost.
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
	store := &forgetful{StorageDriver: driver}
	// It knows nothing of what clients count on.
	collector := serve(t, store, "b", quick, Options{DeleteUntagged: true}).collector
	if _, err := collector.Collect(t.Context(), Request{DryRun: true}, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, question := range slices.Compact(slices.Sorted(slices.Values(store.asked))) {
		store.lost = question
		report, err := collector.Collect(t.Context(), Request{}, io.Discard)
		if store.lost != "" {
			t.Errorf("nobody asked to %s", question)
		}
		if got := r.Pulled(t); err != nil || !slices.Equal(got, whole) {
			t.Fatalf("nothing there to %s: %v\n%s\n%q", question, err, report, got)
		}
	}
}
