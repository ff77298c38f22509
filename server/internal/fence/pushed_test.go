package fence

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"
)

// TestPushedBeforeTheLast expects each collection that begins before the store's listings show a manifest to
// be told of it, not only the first of them.
func TestPushedBeforeTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timing := TimingOf("swift")
		f := New(inmemory.New(), "a", timing, NoCache{})
		f.clock = func() time.Duration { return time.Since(time.Time{}) }
		f.notePush(Pushed{Repository: "app", Reference: "1"})
		for _, want := range []struct {
			after time.Duration
			told  int
		}{{0, 1}, {time.Minute, 1}, {timing.Lag, 0}} {
			time.Sleep(want.after)
			hold, ctx, err := f.Acquire(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			// Each collection is told once.
			for _, told := range []int{want.told, 0} {
				if pushed, err := hold.Pushed(ctx); err != nil || len(pushed) != told {
					t.Errorf("after %s: %v, %v", want.after, pushed, err)
				}
			}
			hold.Release(ctx)
		}
	})
}

// TestPushedAndDeleted has a collection not be told of a manifest that a client deleted, unless it was pushed
// anew during the deletion, or stayed.
func TestPushedAndDeleted(t *testing.T) {
	d, other := digest.FromString("deleted"), digest.FromString("other")
	for _, test := range []struct {
		name   string
		target string
		status int
		// told says that a collection was told before.
		told bool
		want []string
	}{
		{"by digest", d.String(), http.StatusAccepted, false, []string{"other", "elsewhere", "anew"}},
		{"after a collection", d.String(), http.StatusAccepted, true, []string{"other", "elsewhere", "anew"}},
		{"by tag", "1", http.StatusAccepted, false, []string{"1", "other", "2", "elsewhere", "anew"}},
		{"refused", d.String(), http.StatusMethodNotAllowed, false, []string{"1", "other", "2", "elsewhere", "anew"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := New(inmemory.New(), "a", TimingOf("swift"), NoCache{})
				f.clock = func() time.Duration { return time.Since(time.Time{}) }
				pushed := func() (tags []string) {
					hold, ctx, err := f.Acquire(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					defer hold.Release(ctx)
					all, err := hold.Pushed(ctx)
					if err != nil {
						t.Fatal(err)
					}
					for _, each := range all {
						tags = append(tags, each.Reference)
					}
					return tags
				}
				f.notePush(Pushed{Repository: "app", Digest: d, Reference: "1"})
				f.notePush(Pushed{Repository: "app", Digest: other, Reference: "other"})
				if test.told {
					pushed()
				}
				f.notePush(Pushed{Repository: "app", Digest: d, Reference: "2"})
				f.notePush(Pushed{Repository: "app2", Digest: d, Reference: "elsewhere"})
				time.Sleep(time.Second)
				engine := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					f.notePush(Pushed{Repository: "app", Digest: d, Reference: "anew"})
					w.WriteHeader(test.status)
				})
				f.Handler(engine, "").ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodDelete, "/v2/app/manifests/"+test.target, nil))
				if got := pushed(); !slices.Equal(got, test.want) {
					t.Errorf("a collection is told of %v, want %v", got, test.want)
				}
			})
		})
	}
}
