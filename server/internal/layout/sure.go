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

// Twice is for callers that leave out what is missing. Something counts as missing only if the store says so
// twice: a proxy in front of the store may say so once by mistake.
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

// Sure is for callers that delete what no file needs, or copy everything. It asks as Twice does, and
// reports a name that leads nowhere as an error, not as missing. It may list a whole folder for each file that it
// does not find, so a caller that looks for many files in one folder should not use it.
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

// missing replaces the error if a name is reported as missing but is in its folder. Such a name leads
// nowhere, like a link to a disk that is not mounted. A file that is deleted and written anew meanwhile may
// look the same, so missing looks twice.
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

// SureNames is Names with the certainty of Sure.
func SureNames(ctx context.Context, driver storagedriver.StorageDriver, folder string) ([]string, error) {
	return Names(ctx, Sure(driver), folder)
}

// Read reads a file with the certainty of Sure.
func Read(ctx context.Context, driver storagedriver.StorageDriver, path string) ([]byte, error) {
	return Sure(driver).GetContent(ctx, path)
}
