package layout

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"syscall"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// Names are the entries of a folder. A folder that is missing, or is deleted while it is read,
// has none, and neither has a file that somebody left among the folders. Names that no driver
// accepts in a path are left out.
func Names(ctx context.Context, driver storagedriver.StorageDriver, folder string) ([]string, error) {
	paths, err := driver.List(ctx, folder)
	if IsMissing(err) {
		return nil, nil
	}
	if err != nil {
		info, statErr := driver.Stat(ctx, folder)
		if IsMissing(statErr) || statErr == nil && !info.IsDir() {
			return nil, nil
		}
		return nil, err
	}
	list := make([]string, 0, len(paths))
	for _, each := range paths {
		if storagedriver.PathRegexp.MatchString(each) {
			list = append(list, path.Base(each))
		}
	}
	return list, nil
}

// TagNames are the tags of a repository, without other files that somebody left among them.
func TagNames(ctx context.Context, driver storagedriver.StorageDriver, repository string) ([]string, error) {
	names, err := Names(ctx, driver, RepositoryPath(repository, Tags))
	return slices.DeleteFunc(names, func(name string) bool { return !IsTagName(name) }), err
}

// Digests are the digests that a folder of links has entries for.
func Digests(ctx context.Context, driver storagedriver.StorageDriver, folder string) ([]digest.Digest, error) {
	algorithms, err := Names(ctx, driver, folder)
	if err != nil {
		return nil, err
	}
	var list []digest.Digest
	for _, algorithm := range algorithms {
		found, err := DigestsOf(ctx, driver, folder, algorithm)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

// DigestsOf are the digests of one algorithm that a folder of links has entries for.
func DigestsOf(ctx context.Context, driver storagedriver.StorageDriver, folder, algorithm string) ([]digest.Digest, error) {
	encoded, err := Names(ctx, driver, path.Join(folder, algorithm))
	return Valid(algorithm, encoded), err
}

// Valid leaves out what only looks like an entry, such as a temporary file.
func Valid(algorithm string, encoded []string) []digest.Digest {
	var list []digest.Digest
	for _, each := range encoded {
		if d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), each); d.Validate() == nil {
			list = append(list, d)
		}
	}
	return list
}

// Remove deletes a path with all below it. It succeeds if the path is already gone.
func Remove(ctx context.Context, driver storagedriver.StorageDriver, path string) error {
	err := driver.Delete(ctx, path)
	if IsMissing(err) {
		return nil
	}
	return err
}

// IsMissing says whether a driver did not find a path. The filesystem driver returns the system's
// own errors if a folder is deleted while it is read, and if a file stands in its place.
func IsMissing(err error) bool {
	if errors.As(err, new(storagedriver.PathNotFoundError)) {
		return true
	}
	err = opened(err)
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// opened joins an error of a driver with its cause: the engine's error type has no Unwrap.
func opened(err error) error {
	if other := (storagedriver.Error{}); errors.As(err, &other) {
		return errors.Join(err, other.Detail)
	}
	return err
}
