package transfer

import (
	"maps"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestOneWrongAnswer has a store that says once that something is missing, for each thing that a transfer asks
// for in turn. Everything is copied, and a tag that is newer on the target stays.
func TestOneWrongAnswer(t *testing.T) {
	from := inmemory.New()
	source := registrytest.Serve(t, registrytest.Config(t, from))
	image := source.Push(t, "app", "1", registrytest.Layer(1, 100))
	source.PushIndex(t, "app", "list", image)
	source.PushAbout(t, "app", "", image)
	layer := registrytest.Layer(2, 100)
	source.PushBlob(t, "app", digest.SHA512.FromBytes(layer), layer)
	source.Push(t, "app", "moved", registrytest.Layer(3, 100))
	// filled is a target that was copied to before, and then pushed to.
	filled := func() storagedriver.StorageDriver {
		to := inmemory.New()
		if _, err := between(t, from, to, Options{}); err != nil {
			t.Fatal(err)
		}
		registrytest.Serve(t, registrytest.Config(t, to)).Push(t, "app", "moved", registrytest.Layer(4, 100))
		return to
	}
	for name, test := range map[string]struct {
		to func() storagedriver.StorageDriver
		// lying is the one of the two stores that gives the wrong answer.
		lying func(from, to *registrytest.Forgetful) *registrytest.Forgetful
	}{
		"of the source": {func() storagedriver.StorageDriver { return inmemory.New() }, func(from, _ *registrytest.Forgetful) *registrytest.Forgetful { return from }},
		"of the target": {filled, func(_, to *registrytest.Forgetful) *registrytest.Forgetful { return to }},
	} {
		t.Run(name, func(t *testing.T) {
			// copied is what is on the target in the end, and what was asked for.
			copied := func(lost string) (content map[string]string, asked []string) {
				from, to := &registrytest.Forgetful{StorageDriver: from}, &registrytest.Forgetful{StorageDriver: test.to()}
				store := test.lying(from, to)
				store.Lost = lost
				report, err := between(t, from, to, Options{Workers: 1})
				if err != nil || store.Lost != "" {
					t.Errorf("nothing there to %s: %v\n%s", lost, err, report)
				}
				content = map[string]string{}
				for path, each := range files(t, to.StorageDriver) {
					if _, _, isTime := layout.CarriedOf(path); !isTime {
						content[path] = each
					}
				}
				return content, store.Asked
			}
			want, asked := copied("")
			for _, question := range slices.Compact(slices.Sorted(slices.Values(asked))) {
				if !strings.Contains(question, layout.Root) {
					continue
				}
				got, _ := copied(question)
				if !maps.Equal(got, want) {
					t.Errorf("nothing there to %s: %d files, want %d", question, len(got), len(want))
				}
			}
		})
	}
}
