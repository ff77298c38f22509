package fence

import (
	"fmt"
	"slices"
	"sync"

	"github.com/distribution/distribution/v3/registry/api/errcode"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
)

const (
	// inspectors is the number of files that are looked at concurrently for the parts of one manifest.
	inspectors = 16
	// mostAbsent is the number of missing parts up to which the manifest is passed to the engine, which
	// looks for each of them again and names them all. If more are missing, the client is told of mostNamed.
	mostAbsent, mostNamed = 1000, 100
)

// inspect looks at what the manifest needs. It returns the parts that are not in the repository, although
// a cache may know them: they were deleted through another server, or through this one while they were
// being asked for, or they vanished from the store. The engine tells the client what is missing, unless it
// is more than any client forgets.
func (p *push) inspect(content []byte, layers []digest.Digest) (absent []digest.Digest, err error) {
	group, ctx := errgroup.WithContext(p.patience)
	group.SetLimit(inspectors)
	sizes := manifest.Sizes(content)
	// An index may list layers as if they were manifests.
	folders := map[digest.Digest]string{}
	for _, d := range p.Manifest.Blobs {
		folders[d] = layout.Layers
	}
	for _, d := range p.Manifest.Manifests {
		folders[d] = layout.Revisions
	}
	for _, d := range layers {
		folders[d] = layout.Layers
	}
	var mutex sync.Mutex
	for d, folder := range folders {
		if d.Validate() != nil {
			continue
		}
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			there, err := p.fence.linked(ctx, layout.LinkPath(layout.RepositoryPath(p.Repository, folder), d))
			// If a blob is only in other repositories, nobody is told its size, nor that it is there.
			if said, ok := sizes[d]; ok && there {
				there, err = p.measure(ctx, d, said)
			}
			if err != nil || there {
				return err
			}
			mutex.Lock()
			defer mutex.Unlock()
			if absent = append(absent, d); len(absent) > mostAbsent {
				return errcode.ErrorCodeManifestBlobUnknown.WithMessage(fmt.Sprintf("more than %d blobs unknown to registry", mostAbsent)).WithDetail(slices.Clone(absent[:mostNamed]))
			}
			return nil
		})
	}
	err = group.Wait()
	return absent, err
}
