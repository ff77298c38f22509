package transfer

import (
	"context"
	"crypto/rand"
	"path"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// stagingRoot is beside the registry's own folder. No registry looks into it.
const stagingRoot = layout.Transfers

// staging is where blobs are on the target until they are complete.
type staging struct {
	to     *side
	folder string
}

// newStaging uses a folder of its own. If two runs wrote the same file, it would be a mix.
func newStaging(to *side) *staging {
	return &staging{to, path.Join(stagingRoot, rand.Text())}
}

func (s *staging) path(d digest.Digest) string { return path.Join(s.folder, d.Encoded()) }

// clear deletes what this run and killed ones before it left behind.
func (s *staging) clear(ctx context.Context) error {
	return layout.Remove(ctx, s.to.driver, stagingRoot)
}
