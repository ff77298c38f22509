package transfer

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/distribution/distribution/v3/registry/storage/driver/inmemory"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestTagsThatMoved copies, moves a tag on one side or on both, and copies again.
func TestTagsThatMoved(t *testing.T) {
	// push pushes an image by its number. The same number is the same image.
	push := func(t *testing.T, c registrytest.Client, number uint64) digest.Digest {
		return c.Push(t, "app", "latest", registrytest.Layer(number, 100))
	}
	for name, test := range map[string]struct {
		// before the first copy and after it
		before, source, target []uint64
		// want is the image the target's tag names in the end.
		want uint64
		note bool
	}{
		"nowhere":                      {before: []uint64{1}, want: 1},
		"on the source":                {before: []uint64{1}, source: []uint64{2}, want: 2},
		"on the target":                {before: []uint64{1}, target: []uint64{2}, want: 2, note: true},
		"on both to the same":          {before: []uint64{1}, source: []uint64{2}, target: []uint64{2}, want: 2},
		"on both, the target later":    {before: []uint64{1}, source: []uint64{2}, target: []uint64{3}, want: 3, note: true},
		"back on the source":           {before: []uint64{1, 2}, source: []uint64{1}, want: 1},
		"back on the target":           {before: []uint64{1, 2}, target: []uint64{1}, want: 1, note: true},
		"there and back on the source": {before: []uint64{1}, source: []uint64{2, 1}, want: 1},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := inmemory.New(), inmemory.New()
			source, target := registrytest.Serve(t, registrytest.Config(t, from)), registrytest.Serve(t, registrytest.Config(t, to))
			for _, number := range test.before {
				push(t, source, number)
			}
			if _, err := between(t, from, to, Options{}); err != nil {
				t.Fatal(err)
			}
			for _, number := range test.source {
				push(t, source, number)
			}
			for _, number := range test.target {
				push(t, target, number)
			}
			report, err := between(t, from, to, Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := to.GetContent(t.Context(), (&tag{repository: "app", name: "latest"}).currentPath())
			if err != nil {
				t.Fatal(err)
			}
			other := registrytest.Serve(t, registrytest.Config(t, inmemory.New()))
			if want := push(t, other, test.want); string(got) != want.String() {
				t.Errorf("got %s, want %s", got, want)
			}
			if noted := strings.Contains(report.String(), "tag app:latest was left as it is: the target has a newer one"); noted != test.note {
				t.Errorf("reported as\n%s", report)
			}
		})
	}
}

// TestTagsAreNotListed expects no listing on the target for each tag that is missing there.
func TestTagsAreNotListed(t *testing.T) {
	from := inmemory.New()
	source := registrytest.Serve(t, registrytest.Config(t, from))
	for _, tag := range []string{"1", "2", "3"} {
		source.Push(t, "app", tag, registrytest.Layer(1, 100))
	}
	to := registrytest.NewSpy(filesystem.New(filesystem.DriverParameters{RootDirectory: t.TempDir(), MaxThreads: 25}))
	report, err := between(t, from, to, Options{})
	if n := to.Count("list", layout.RepositoryPath("app")); err != nil || n > 0 {
		t.Errorf("%v, %d lists\n%s", err, n, report)
	}
}

// TestRolledBackMeanwhile has the source's tag go back to an older image during the first copy.
func TestRolledBackMeanwhile(t *testing.T) {
	from, to := inmemory.New(), registrytest.NewSpy(inmemory.New())
	source := registrytest.Serve(t, registrytest.Config(t, from))
	old := source.Push(t, "app", "latest", registrytest.Layer(1, 100))
	source.Push(t, "app", "latest", registrytest.Layer(2, 100))
	back := false
	to.Before = func(action, path string) error {
		if action == "put" && strings.HasPrefix(path, layout.Blobs) && !back {
			back = true
			source.Push(t, "app", "latest", registrytest.Layer(1, 100))
		}
		return nil
	}
	report, err := Run(t.Context(), registrytest.Config(t, from), registrytest.Config(t, to),
		Options{Workers: 1, SourceMayChange: true, Progress: io.Discard, Interval: time.Hour})
	if err != nil || !strings.Contains(report.String(), "tag app:latest was left out: it was changed on the source meanwhile; run it again") {
		t.Errorf("%v\n%s", err, report)
	}
	if report, err = between(t, from, to, Options{}); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Join(pulled(t, to.StorageDriver), "\n"); !strings.Contains(lines, "app:latest "+old.String()) {
		t.Errorf("%s is the latest, and the target serves\n%s\n%s", old, lines, report)
	}
}
