package layout

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"

	"container-registry/server/internal/traits"
)

// Twice is for who leaves out what is not there: something is missing only if the store says so
// twice. What stands in front of a store may say so once by mistake.
func Twice(driver storagedriver.StorageDriver) storagedriver.StorageDriver { return twice{driver} }

type twice struct{ storagedriver.StorageDriver }

func (t twice) GetContent(ctx context.Context, path string) ([]byte, error) {
	content, err := t.StorageDriver.GetContent(ctx, path)
	if !IsMissing(err) {
		return content, err
	}
	if _, statErr := t.StorageDriver.Stat(ctx, path); statErr != nil {
		return nil, statErr
	}
	content, err = t.StorageDriver.GetContent(ctx, path)
	if IsMissing(err) {
		return nil, fmt.Errorf("the store says that %s is there, and that it is not; try again", path)
	}
	return content, err
}

func (t twice) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	info, err := t.StorageDriver.Stat(ctx, path)
	if IsMissing(err) {
		info, err = t.StorageDriver.Stat(ctx, path)
	}
	return info, err
}

func (t twice) List(ctx context.Context, folder string) ([]string, error) {
	paths, err := t.StorageDriver.List(ctx, folder)
	if IsMissing(err) || err == nil && len(paths) == 0 {
		paths, err = t.StorageDriver.List(ctx, folder)
	}
	return paths, err
}

// Sure is for who deletes what no file needs, or copies all that is there: it asks as Twice does, and
// takes nothing for missing that leads nowhere. For that it may list a folder for each file that it
// does not find, so who looks for many in one does without.
func Sure(driver storagedriver.StorageDriver) storagedriver.StorageDriver {
	return sure{twice{driver}}
}

type sure struct{ twice }

func (s sure) GetContent(ctx context.Context, path string) ([]byte, error) {
	content, err := s.twice.GetContent(ctx, path)
	return content, s.missing(ctx, path, err)
}

func (s sure) Stat(ctx context.Context, path string) (storagedriver.FileInfo, error) {
	info, err := s.twice.Stat(ctx, path)
	return info, s.missing(ctx, path, err)
}

func (s sure) List(ctx context.Context, folder string) ([]string, error) {
	paths, err := s.twice.List(ctx, folder)
	return paths, s.missing(ctx, folder, err)
}

// missing makes another error of one that says so of a name which is in its folder: it leads
// nowhere, as a link does to a disk that is not mounted. Who deletes and writes it meanwhile may
// look the same, so it is looked at twice.
func (s sure) missing(ctx context.Context, file string, err error) error {
	if !IsMissing(err) || !traits.Of[s.Name()].Folder || file == "/" {
		return err
	}
	folder := path.Dir(file)
	for range 2 {
		if _, statErr := s.StorageDriver.Stat(ctx, file); !IsMissing(statErr) {
			return cmp.Or(statErr, err)
		}
		names, listErr := s.StorageDriver.List(ctx, folder)
		if IsMissing(listErr) {
			return s.missing(ctx, folder, err)
		}
		if !slices.Contains(names, file) {
			return cmp.Or(listErr, err)
		}
	}
	return fmt.Errorf("%s leads nowhere; is a disk not mounted?", file)
}

// SureNames are those of a folder, as Sure has it.
func SureNames(ctx context.Context, driver storagedriver.StorageDriver, folder string) ([]string, error) {
	return Names(ctx, Sure(driver), folder)
}

// Read is of a file, as Sure has it.
func Read(ctx context.Context, driver storagedriver.StorageDriver, path string) ([]byte, error) {
	return Sure(driver).GetContent(ctx, path)
}
