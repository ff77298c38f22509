package garbage

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestRepositoriesVanish has a store list its blobs but none of its repositories.
func TestRepositoriesVanish(t *testing.T) {
	for name, test := range map[string]struct {
		// before is whether an earlier collection knew them, and times is how often they are not there: a
		// collection looks twice.
		before bool
		times  int
		want   string
	}{
		"for a moment":              {false, 2, ""},
		"for a moment, being known": {true, 2, ""},
		"for longer":                {true, 1000, "no repository, of which the last collection left 1"},
	} {
		t.Run(name, func(t *testing.T) {
			spy := registrytest.NewSpy(folder(t))
			r := serve(t, spy, "a", quick, Options{})
			r.Push(t, "app", "1", registrytest.Layer(1, 100))
			if test.before {
				r.collect(t, Request{})
			}
			// This is another process, which knows only what the store tells.
			other := serve(t, spy, "b", quick, Options{})
			times := 0
			spy.Before = func(action, path string) error {
				if action != "list" || path != layout.Repositories || times == test.times {
					return nil
				}
				times++
				return storagedriver.PathNotFoundError{Path: path}
			}
			_, err := other.collector.Collect(t.Context(), Request{}, io.Discard)
			if times == 0 || (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%d times: %v", times, err)
			}
			spy.Before = func(string, string) error { return nil }
			r.Pulled(t)
		})
	}
}

// TestRepositoriesOnAnotherDisk has a folder of repositories that is a link to a disk that is not mounted.
func TestRepositoriesOnAnotherDisk(t *testing.T) {
	root, disk := t.TempDir(), filepath.Join(t.TempDir(), "disk")
	r := serve(t, filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100}), "a", quick, Options{})
	r.Push(t, "app", "1", registrytest.Layer(1, 100))
	r.Push(t, "team/app", "1", registrytest.Layer(2, 100))
	whole := r.Pulled(t)
	team := filepath.Join(root, layout.RepositoryPath("team"))
	for _, err := range []error{os.Rename(team, disk), os.Symlink(disk, team), os.Rename(disk, disk+" away")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	other := r.another(t)
	if _, err := other.collector.Collect(t.Context(), Request{}, io.Discard); err == nil || !strings.Contains(err.Error(), "/team leads nowhere; is a disk not mounted?") {
		t.Error(err)
	}
	if err := os.Rename(disk+" away", disk); err != nil {
		t.Fatal(err)
	}
	other.collect(t, Request{})
	if got := r.Pulled(t); !slices.Equal(got, whole) {
		t.Errorf("left is %q", got)
	}
}

// TestLeftBehind goes by the last collection that knew how many repositories there are.
func TestLeftBehind(t *testing.T) {
	knew := func(found, deleted int) Run {
		return Run{Report: &Report{Repositories: found, RepositoriesDeleted: deleted}}
	}
	failed := func(run Run) Run { run.Err = errors.New("away"); return run }
	for name, test := range map[string]struct {
		runs []Run
		want int
	}{
		"none":                           {nil, 0},
		"some are left":                  {[]Run{knew(3, 1), knew(7, 0)}, 2},
		"all went":                       {[]Run{knew(3, 3), knew(7, 0)}, 0},
		"there was none":                 {[]Run{knew(0, 0), knew(7, 0)}, 0},
		"the last one could not look":    {[]Run{failed(Run{}), failed(knew(0, 0)), knew(7, 0)}, 7},
		"the last one failed after that": {[]Run{failed(knew(3, 0)), knew(7, 0)}, 3},
	} {
		if got := leftBehind(test.runs); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}
