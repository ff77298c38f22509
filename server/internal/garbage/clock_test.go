package garbage

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/sirupsen/logrus"
	"github.com/sirupsen/logrus/hooks/test"

	"container-registry/server/internal/garbage/retention"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// timed is a store with a clock of its own.
type timed struct {
	storagedriver.StorageDriver
	tell func(path string, at time.Time) time.Time
}

func (d timed) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	info, err := d.StorageDriver.Stat(ctx, path)
	if err != nil {
		return nil, err
	}
	return storagedriver.FileInfoInternal{FileInfoFields: storagedriver.FileInfoFields{Path: path, Size: info.Size(), IsDir: info.IsDir(), ModTime: d.tell(path, info.ModTime())}}, nil
}

// TestClockOfTheStore expects a server whose clock differs from the store's to delete nothing, because the
// store's clock dates everything.
func TestClockOfTheStore(t *testing.T) {
	by := func(d time.Duration) func(string, time.Time) time.Time {
		return func(_ string, at time.Time) time.Time { return at.Add(d) }
	}
	for _, each := range []struct {
		name string
		tell func(string, time.Time) time.Time
		done bool
	}{
		{"30 days behind", by(-30 * 24 * time.Hour), false},
		{"behind by more than the grace", by(-2 * time.Hour), false},
		{"30 days ahead", by(30 * 24 * time.Hour), false},
		{"a little behind", by(-4 * time.Minute), true},
		{"a little ahead", by(4 * time.Minute), true},
		{"without times of the collection's object", func(path string, at time.Time) time.Time {
			if strings.HasPrefix(path, layout.Collections) {
				return time.Time{}
			}
			return at
		}, true},
	} {
		t.Run(each.name, func(t *testing.T) {
			r := serve(t, timed{folder(t), each.tell}, "a", quick, Options{DeleteUntagged: true, Grace: time.Hour, Retention: retention.Policy{Rules: []retention.Rule{{KeepDays: 7}}}})
			image := r.Push(t, "app", "1", registrytest.Layer(1, 100))
			r.Push(t, "app", "2", registrytest.Layer(2, 100))
			r.Push(t, "app", "2", registrytest.Layer(3, 100))
			before := r.files(t)
			log, logged := test.NewNullLogger()
			r.collector.log = logrus.NewEntry(log)
			r.collector.collectInBackground(t.Context(), Request{})
			_, err := r.collector.Collect(t.Context(), Request{}, io.Discard)
			if each.done != (err == nil) || !each.done && !strings.Contains(err.Error(), "clock") {
				t.Errorf("%v", err)
			}
			if totals := r.collector.Totals(); each.done != (totals.Succeeded == 2) || each.done != (totals.Failed == 0) {
				t.Errorf("%+v", totals)
			}
			if said := logged.AllEntries(); len(said) != 1 || each.done != (said[0].Level == logrus.InfoLevel) {
				t.Errorf("%v", said)
			}
			if after := r.files(t); !slices.Equal(after, before) || r.tagged(t, "app", "1") != image {
				t.Errorf("left are %q of %q", after, before)
			}
		})
	}
}
