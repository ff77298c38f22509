package layout

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

func TestIsMissing(t *testing.T) {
	wrapped := fmt.Errorf("%w: not found", fs.ErrNotExist)
	for err, want := range map[error]bool{
		storagedriver.PathNotFoundError{Path: "/a"}:                    true,
		storagedriver.Error{DriverName: "filesystem", Detail: wrapped}: true,
		wrapped: true,
		storagedriver.Error{DriverName: "filesystem", Detail: &fs.PathError{Op: "open", Path: "/file/link", Err: syscall.ENOTDIR}}: true,
		storagedriver.Error{DriverName: "gcs", Detail: errors.New("away")}:                                                         false,
		errors.New("away"): false,
	} {
		if IsMissing(err) != want {
			t.Errorf("%v: %t", err, !want)
		}
	}
	if IsMissing(nil) {
		t.Error("nothing is missing")
	}
}
