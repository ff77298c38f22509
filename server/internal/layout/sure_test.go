package layout

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"

	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

// TestSureOfALink distinguishes a missing file from one on a disk that is not mounted.
func TestSureOfALink(t *testing.T) {
	root := t.TempDir()
	for _, folder := range []string{"empty", "full/one"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"mounted": "full", "away": "nowhere"} {
		if err := os.Symlink(filepath.Join(root, target), filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	driver := filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 25})
	const missing, nowhere = "missing", "/away leads nowhere; is a disk not mounted?"
	said := func(err error) string {
		switch {
		case err == nil:
			return ""
		case IsMissing(err):
			return missing
		default:
			return err.Error()
		}
	}
	for path, want := range map[string]struct {
		names        int
		listed, seen string
	}{
		"/full":           {1, "", ""},
		"/empty":          {0, "", ""},
		"/mounted":        {1, "", ""},
		"/file":           {0, "", ""},
		"/file/below":     {0, "", missing},
		"/none":           {0, "", missing},
		"/none/below":     {0, "", missing},
		"/away":           {0, nowhere, nowhere},
		"/away/far/below": {0, nowhere, nowhere},
	} {
		names, err := SureNames(t.Context(), driver, path)
		if len(names) != want.names || said(err) != want.listed {
			t.Errorf("in %s are %q: %v", path, names, err)
		}
		if _, err = Sure(driver).Stat(t.Context(), path); said(err) != want.seen {
			t.Errorf("%s: %v", path, err)
		}
		if _, err = Read(t.Context(), driver, path+"/link"); said(err) != cmp.Or(want.listed, missing) {
			t.Errorf("%s/link: %v", path, err)
		}
	}
}
