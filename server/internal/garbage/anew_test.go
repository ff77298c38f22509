package garbage

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"container-registry/server/internal/boottime"
	"container-registry/server/internal/fence"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestSuspended suspends a machine while it deletes, for longer than its right to collect lasts.
func TestSuspended(t *testing.T) {
	for name, test := range map[string]struct {
		// at is what the machine is about to do, by default to delete, and times is how often it is suspended.
		at    string
		times int
		// other says that another server's collection is under way when the machine wakes up.
		other bool
		want  error
	}{
		"once":                         {times: 1},
		"twice":                        {times: 2},
		"whenever it looks around":     {at: "get", times: 1000, want: fence.ErrLost},
		"while another server goes on": {times: 1, other: true, want: fence.ErrLost},
	} {
		t.Run(name, func(t *testing.T) {
			timing := quick
			timing.Expiry = 2 * time.Second
			driver := registrytest.NewSpy(folder(t))
			r := serve(t, driver, "a", timing, Options{})
			for i := range uint64(4) {
				r.Push(t, "app", "latest", registrytest.Layer(i, 100))
			}
			var asleep atomic.Int64
			clock := func() time.Duration { return boottime.Now() + time.Duration(asleep.Load()) }
			suspended := New(driver, fence.NewWithClock(driver, "b", timing, fence.NoCache{}, clock), Options{DeleteUntagged: true}, registrytest.Silent())
			var times atomic.Int64
			driver.Before = func(action, path string) error {
				if action != cmp.Or(test.at, "delete") || !strings.HasPrefix(path, layout.Blobs) || times.Add(1) > int64(test.times) {
					return nil
				}
				asleep.Add(int64(time.Hour))
				if test.other {
					hold := serve(t, driver.StorageDriver, "c", timing, Options{}).begin(t).hold
					t.Cleanup(func() { hold.Release(t.Context()) })
				}
				return nil
			}
			var said bytes.Buffer
			report, err := suspended.Collect(t.Context(), Request{}, &said)
			if !errors.Is(err, test.want) || report == nil {
				t.Fatal(report, err)
			}
			anew := min(test.times, tries-1)
			if n := strings.Count(said.String(), "begins anew"); n != anew {
				t.Errorf("it began anew %d times, not %d:\n%s", n, anew, said.String())
			}
			if test.want == nil {
				left := r.files(t)
				r.collect(t, Request{DeleteUntagged: true})
				if after := r.files(t); report.Tags.Found != 1 || report.Manifests.Found != 4 || !slices.Equal(left, after) {
					t.Errorf("%sit left\n%s", report, strings.Join(left, "\n"))
				}
			}
			r.Pulled(t)
		})
	}
}
