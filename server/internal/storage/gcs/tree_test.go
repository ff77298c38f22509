package gcs

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/layout"
)

// TestPages has more objects below a folder than fit into a page of a list, and neighbours with similar names.
func TestPages(t *testing.T) {
	for _, folder := range []string{"", "a folder"} {
		t.Run(folder, func(t *testing.T) {
			g := &google{page: 3}
			d := g.open(t, folder)
			var want []string
			for i := range 10 {
				path := fmt.Sprintf("/a/%d", i)
				want = append(want, path)
				for _, each := range []string{path + "/x", path + "/y"} {
					if err := d.PutContent(t.Context(), each, nil); err != nil {
						t.Fatal(err)
					}
				}
			}
			for _, neighbour := range []string{"/a-b/1", "/a.b", "/b"} {
				if err := d.PutContent(t.Context(), neighbour, nil); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := d.List(t.Context(), "/a"); err != nil || !slices.Equal(got, want) {
				t.Errorf("list: %q: %v", got, err)
			}
			visited := 0
			err := d.Walk(t.Context(), "/", func(storagedriver.FileInfo) error { visited++; return nil })
			if err != nil || visited != 1+10+20+2+2 {
				t.Errorf("walk: %d: %v", visited, err)
			}
			if err := d.Delete(t.Context(), "/a"); err != nil {
				t.Fatal(err)
			}
			backwards := slices.IsSortedFunc(g.deleted, func(a, b string) int { return strings.Compare(b, a) })
			if len(g.deleted) != 20 || !backwards {
				t.Errorf("deleted: %q", g.deleted)
			}
			if got, err := d.List(t.Context(), "/"); err != nil || !slices.Equal(slices.Sorted(slices.Values(got)), []string{"/a-b", "/a.b", "/b"}) {
				t.Errorf("left: %q: %v", got, err)
			}
		})
	}
}

// TestRoot expects the root always to exist, because the health check asks for it.
func TestRoot(t *testing.T) {
	for _, folder := range []string{"", "folder"} {
		d := new(google).open(t, folder)
		if info, err := d.Stat(t.Context(), "/"); err != nil || !info.IsDir() {
			t.Errorf("%q: %v", folder, err)
		}
		if names, err := d.List(t.Context(), "/"); err != nil || len(names) > 0 {
			t.Errorf("%q: %q, %v", folder, names, err)
		}
	}
}

// TestFolderOfConsole has an empty object that a console made for a folder.
func TestFolderOfConsole(t *testing.T) {
	g := &google{}
	d := g.open(t, "")
	if err := d.PutContent(t.Context(), "/a/1", nil); err != nil {
		t.Fatal(err)
	}
	g.put(&object{Name: "a/", ContentType: "text/plain"}, g.objects["a/1"].file, 0)
	if names, err := d.List(t.Context(), "/a"); err != nil || !slices.Equal(names, []string{"/a/1"}) {
		t.Errorf("%q: %v", names, err)
	}
	if info, err := d.Stat(t.Context(), "/a"); err != nil || !info.IsDir() {
		t.Errorf("%v", err)
	}
	if err := d.Delete(t.Context(), "/a"); err != nil || len(g.objects) > 0 {
		t.Errorf("%v: %v", g.objects, err)
	}
	if err := d.Delete(t.Context(), "/a"); !layout.IsMissing(err) {
		t.Errorf("it is gone: %v", err)
	}
}
