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
	// inspectors is how many files of the parts of one manifest are looked at at once.
	inspectors = 16
	// mostAbsent is how many parts are looked for in vain: the engine would look for each again, and
	// name them all. The client is told of mostNamed.
	mostAbsent, mostNamed = 1000, 100
)

// inspect looks at what the manifest needs. It returns what is not in the repository, though
// a cache may have it: somebody deleted it by way of another server, or of this one while it
// was asked for, or it went from the store. What is missing is the engine's to tell, unless it
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
			// Of what is in other repositories alone nobody is told the size, nor that it is there.
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
