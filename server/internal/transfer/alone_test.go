package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestTagsOfTheTargetAlone goes back to a store that was left before: it still has what was deleted meanwhile.
func TestTagsOfTheTargetAlone(t *testing.T) {
	for name, test := range map[string]struct {
		// deleted is the number of tags deleted in the source. The tag "kept" stays.
		deleted int
		options Options
		want    string
	}{
		"none":          {0, Options{}, ""},
		"some":          {2, Options{}, "  tags that only the target has, left as they are: 2 (app:0, app:1)\n"},
		"some, dry run": {2, Options{DryRun: true}, "  tags that only the target has, left as they are: 2 (app:0, app:1)\n"},
		"many":          {12, Options{}, "  tags that only the target has, left as they are: 12 (app:0, app:1, app:10, app:11, app:2, app:3, app:4, app:5, app:6, app:7, and 2 more)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := memory(t), folder(t)
			source := registrytest.Serve(t, registrytest.Config(t, from))
			source.Push(t, "app", "kept", registrytest.Layer(1, 100))
			for i := range test.deleted {
				source.Push(t, "app", fmt.Sprint(i), registrytest.Layer(2, 100))
			}
			report, err := between(t, from, to, Options{})
			if err != nil || strings.Contains(report.String(), "only the target") {
				t.Fatalf("%v\n%s", err, report)
			}
			for i := range test.deleted {
				source.Delete(t, "app", fmt.Sprint(i))
			}
			// A push that was cut off has left a tag that nobody sees.
			if err := to.PutContent(t.Context(), layout.RepositoryPath("app", layout.Tags, "begun", "current", "link.tmp"), nil); err != nil {
				t.Fatal(err)
			}
			before := files(t, to)
			report, err = between(t, from, to, test.options)
			if err != nil {
				t.Fatal(err)
			}
			if _, got, _ := strings.Cut(report.String(), "\n  tags   0, there already 1\n"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", report, test.want)
			}
			if after := files(t, to); len(after) < len(before) {
				t.Errorf("%d of %d files are left", len(after), len(before))
			}
		})
	}
}

// unlisted fails at a folder.
type unlisted struct {
	storagedriver.StorageDriver
	folder string
	err    error
}

func (u unlisted) List(ctx context.Context, path string) ([]string, error) {
	if path == u.folder {
		return nil, u.err
	}
	return u.StorageDriver.List(ctx, path)
}

// TestUnknownTagsOfTheTarget expects a copy to a target whose tags are unknown, unless nothing can be copied.
func TestUnknownTagsOfTheTarget(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"for now":  {errors.New("NeverHeardOf: that"), "  tags that only the target has are not known: cannot list"},
		"for good": {errors.New("dial tcp: connection refused"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			from, _ := filled(t)
			to := memory(t)
			registrytest.Serve(t, registrytest.Config(t, to)).Push(t, "app", "own", registrytest.Layer(1, 100))
			report, err := between(t, from, unlisted{to, layout.RepositoryPath(""), test.err}, Options{})
			if test.want == "" {
				if err == nil {
					t.Error("it is copied to")
				}
				return
			}
			if err != nil || !strings.Contains(report.String(), test.want) {
				t.Fatalf("%v: %s", err, report)
			}
			if got := pulled(t, to); len(got) < 2 {
				t.Errorf("nothing was copied: %q", got)
			}
		})
	}
}
