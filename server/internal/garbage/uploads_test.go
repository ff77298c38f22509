package garbage

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"

	"container-registry/server/internal/garbage/inventory"
	"container-registry/server/internal/layout"
	"container-registry/server/internal/registrytest"
)

// TestUploadsThatWereCutOff go, and free the disk space that they use, once nobody has gone on with them for a
// day. Other stores show them if the end of the upload was cut off.
func TestUploadsThatWereCutOff(t *testing.T) {
	for _, store := range []string{"filesystem", "s3aws", "azure"} {
		t.Run(store, func(t *testing.T) { testCutOff(t, store) })
	}
}

// renamed is a folder that is taken for a store of another kind.
type renamed struct {
	storagedriver.StorageDriver
	name string
}

func (r renamed) Name() string { return r.name }

func testCutOff(t *testing.T, store string) {
	root := t.TempDir()
	r := serve(t, renamed{filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100}), store}, "a", quick, Options{})
	r.Push(t, "app", "1", registrytest.Layer(1, 100))
	r.HalfUpload(t, "app")
	old := uploadsIn(t, root, "app")
	r.HalfUpload(t, "gone")
	old = append(old, uploadsIn(t, root, "gone")...)
	for _, each := range old {
		age(t, each, inventory.Abandonment+time.Minute)
	}
	finish := r.HalfUpload(t, "app")
	// The server writes nothing before the first byte.
	r.BeginUpload(t, "begun")
	for _, each := range uploadsIn(t, root, "begun") {
		if err := os.Remove(filepath.Join(each, "data")); err != nil {
			t.Fatal(err)
		}
	}

	dry := r.collect(t, Request{DryRun: true})
	if left := append(uploadsIn(t, root, "app"), uploadsIn(t, root, "gone")...); dry.Uploads != 2 || dry.Bytes == 0 || len(left) != 3 {
		t.Errorf("left are %q\n%s", left, dry)
	}
	report := r.collect(t, Request{})
	if left := append(uploadsIn(t, root, "app"), uploadsIn(t, root, "gone")...); report.Uploads != 2 || report.Bytes != dry.Bytes || len(left) != 1 {
		t.Errorf("left are %q\n%s", left, report)
	}
	if left := uploadsIn(t, root, "begun"); len(left) != 1 {
		t.Errorf("of what has only begun %q is left", left)
	}
	finish()
	if status := r.Status(t, http.MethodGet, "/v2/app/manifests/1"); status != http.StatusOK {
		t.Errorf("the image that stays answers %d", status)
	}
}

// TestUploadThatIsWrittenElsewhere shows what its client had sent before it went on, as S3 does, and what
// the engine has noted since. A folder shows all bytes.
func TestUploadThatIsWrittenElsewhere(t *testing.T) {
	for store, cutOff := range map[string]int{"filesystem": 1, "azure": 1, "s3aws": 0} {
		root := t.TempDir()
		r := serve(t, renamed{filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100}), store}, "a", quick, Options{})
		finish := r.HalfUpload(t, "app")
		age(t, filepath.Join(uploadsIn(t, root, "app")[0], "data"), inventory.Abandonment+time.Minute)
		if report := r.collect(t, Request{}); report.Uploads != cutOff {
			t.Errorf("%s: %s", store, report)
		}
		if cutOff == 0 {
			finish()
		}
	}
}

// TestUploadThatGoesOnAfterADay has a client come back to an upload, or complete it, when it is already on the
// list of deletions.
func TestUploadThatGoesOnAfterADay(t *testing.T) {
	root := t.TempDir()
	r := serve(t, filesystem.New(filesystem.DriverParameters{RootDirectory: root, MaxThreads: 100}), "a", quick, Options{})
	finish := r.HalfUpload(t, "app")
	uploads := uploadsIn(t, root, "app")
	age(t, uploads[0], inventory.Abandonment+time.Minute)
	finishOther := r.HalfUpload(t, "done")
	age(t, uploadsIn(t, root, "done")[0], inventory.Abandonment+time.Minute)
	collection := r.begin(t)
	if n := len(collection.todo.Needs.Inventory.CutOff); n != 2 {
		t.Fatalf("%d uploads were cut off", n)
	}
	age(t, uploads[0], 0)
	finishOther()
	if err := collection.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	finish()
	if collection.report.Uploads != 0 {
		t.Error(collection.report)
	}
}

func uploadsIn(t *testing.T, root, repository string) []string {
	t.Helper()
	folders, err := filepath.Glob(filepath.Join(root, layout.RepositoryPath(repository, layout.Uploads), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return folders
}

// age makes everything in a folder so much older.
func age(t *testing.T, folder string, by time.Duration) {
	t.Helper()
	at := time.Now().Add(-by)
	err := filepath.WalkDir(folder, func(each string, _ fs.DirEntry, err error) error {
		if err != nil || strings.HasPrefix(filepath.Base(each), ".") {
			return err
		}
		return os.Chtimes(each, at, at)
	})
	if err != nil {
		t.Fatal(err)
	}
}
