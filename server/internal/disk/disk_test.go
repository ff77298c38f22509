package disk

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestSpace(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only told on Linux")
	}
	space, err := In(t.TempDir()).Space()
	if err != nil || space.Total == 0 || space.Free > space.Total || space.FreeFiles > space.Files {
		t.Errorf("%+v %v", space, err)
	}
	if space, err := In(filepath.Join(t.TempDir(), "gone")).Space(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%+v %v", space, err)
	}
}
