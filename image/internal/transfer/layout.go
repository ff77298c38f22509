package transfer

import (
	"context"
	"errors"
	"path"

	"github.com/opencontainers/go-digest"

	storagedriver "github.com/distribution/distribution/v3/registry/storage/driver"
)

// The engine's layout of a store, which it does not export:
//
//	blobs/<algorithm>/<two letters>/<hex>/data
//	repositories/<name>/_layers/<algorithm>/<hex>/link
//	repositories/<name>/_manifests/revisions/<algorithm>/<hex>/link
//	repositories/<name>/_manifests/tags/<tag>/current/link
//	repositories/<name>/_manifests/tags/<tag>/index/<algorithm>/<hex>/link
//	repositories/<name>/_uploads/…
const (
	root             = "/docker/registry/v2"
	blobsRoot        = root + "/blobs"
	repositoriesRoot = root + "/repositories"

	layersFolder    = "_layers"
	revisionsFolder = "_manifests/revisions"
	tagsFolder      = "_manifests/tags"
)

func blobPath(d digest.Digest) string {
	return path.Join(blobsRoot, d.Algorithm().String(), d.Encoded()[:2], d.Encoded(), "data")
}

func repositoryPath(repository string, names ...string) string {
	return path.Join(append([]string{repositoriesRoot, repository}, names...)...)
}

func linkPath(folder string, d digest.Digest) string {
	return path.Join(folder, d.Algorithm().String(), d.Encoded(), "link")
}

// names are the entries of a folder. What is missing has none, and neither has a file
// that somebody left among the folders.
func names(ctx context.Context, driver storagedriver.StorageDriver, folder string) ([]string, error) {
	paths, err := driver.List(ctx, folder)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		if info, statErr := driver.Stat(ctx, folder); statErr == nil && !info.IsDir() {
			return nil, nil
		}
		return nil, err
	}
	list := make([]string, 0, len(paths))
	for _, each := range paths {
		list = append(list, path.Base(each))
	}
	return list, nil
}

// digests are the digests that a folder of links has entries for.
func digests(ctx context.Context, driver storagedriver.StorageDriver, folder string) ([]digest.Digest, error) {
	algorithms, err := names(ctx, driver, folder)
	if err != nil {
		return nil, err
	}
	var list []digest.Digest
	for _, algorithm := range algorithms {
		encoded, err := names(ctx, driver, path.Join(folder, algorithm))
		if err != nil {
			return nil, err
		}
		list = append(list, valid(algorithm, encoded)...)
	}
	return list, nil
}

// valid leaves out what only looks like an entry, such as a temporary file.
func valid(algorithm string, encoded []string) []digest.Digest {
	var list []digest.Digest
	for _, each := range encoded {
		if d := digest.NewDigestFromEncoded(digest.Algorithm(algorithm), each); d.Validate() == nil {
			list = append(list, d)
		}
	}
	return list
}

func isMissing(err error) bool {
	var missing storagedriver.PathNotFoundError
	return errors.As(err, &missing)
}
