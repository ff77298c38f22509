package images

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

const (
	// manyManifests is the number of manifests up to which all those of a repository are looked at.
	manyManifests = 1000
	// manyFolders limits the manifests that the repository ever had: the folder of each one remains.
	manyFolders = 10 * manyManifests
	// manyDigests limits the digests that the manifests refer to, which are held in memory meanwhile.
	manyDigests = 100_000
)

// ErrMany is the error for a repository of which too much would have to be read.
var ErrMany = errors.New("there are too many manifests")

// graph are the manifests of a repository.
type graph map[digest.Digest]*node

// node is what a graph keeps of a manifest.
type node struct {
	pushed  time.Time
	subject digest.Digest
	// parts are the manifests that it lists, and about those that are about it. more is set if it lists more
	// than parts.
	parts, about []digest.Digest
	more         bool
	// sizes are of the blobs that it needs itself.
	sizes map[digest.Digest]Size
}

// graph reads all manifests of a repository. It returns ErrMany if they are too many.
func (r *Reader) graph(ctx context.Context, repository string) (graph, error) {
	var digests []digest.Digest
	err := r.turns.UseDigests(ctx, r.lists, layout.RepositoryPath(repository, layout.Revisions), func(found []digest.Digest) error {
		if len(digests)+len(found) > manyFolders {
			return ErrMany
		}
		digests = append(digests, found...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	nodes := make([]*node, len(digests))
	var linked, kept atomic.Int64
	err = each(ctx, len(digests), func(ctx context.Context, i int) error {
		info, err := r.stat(ctx, layout.RevisionPath(repository, digests[i]))
		if errors.Is(err, ErrMissing) {
			return nil
		}
		if err != nil {
			return err
		}
		if linked.Add(1) > manyManifests {
			return ErrMany
		}
		m, err := r.part(ctx, digests[i])
		if err != nil && !errors.Is(err, ErrMissing) {
			return err
		}
		nodes[i] = nodeOf(m, info.ModTime())
		if kept.Add(int64(len(nodes[i].parts)+len(nodes[i].sizes))) > manyDigests {
			return ErrMany
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	g := graph{}
	for i, n := range nodes {
		if n != nil {
			g[digests[i]] = n
		}
	}
	for d, n := range g {
		if subject := g[n.subject]; subject != nil {
			subject.about = append(subject.about, d)
		}
	}
	return g, nil
}

// nodeOf is given nil for a manifest that is damaged.
func nodeOf(m *Manifest, pushed time.Time) *node {
	n := &node{pushed: pushed}
	if m == nil {
		return n
	}
	own := newSum()
	own.add(m)
	n.parts, n.more, n.sizes = m.listed(), m.Manifests.More() > 0, own.sizes
	if m.Subject != nil {
		n.subject = digest.Digest(m.Subject.Digest)
	}
	return n
}

// reach returns manifests and what they lead to, however far away. Each is visited once, because lists may name
// the same one again and again.
func (g graph) reach(roots []digest.Digest, next func(*node) []digest.Digest) map[digest.Digest]*node {
	found := map[digest.Digest]*node{}
	for rest := slices.Clip(roots); len(rest) > 0; rest = rest[1:] {
		d := rest[0]
		if n := g[d]; n != nil && found[d] == nil {
			found[d] = n
			rest = append(rest, next(n)...)
		}
	}
	return found
}

// downwards leads to what a manifest lists.
func downwards(n *node) []digest.Digest { return n.parts }

// around leads to what is about a manifest as well.
func around(n *node) []digest.Digest { return slices.Concat(n.parts, n.about) }

// subjectOf says which of the manifests a tag is about, such as the tag of a signature. Most tags are about
// none.
func (g graph) subjectOf() func(tag string) digest.Digest {
	subjects := map[string]digest.Digest{}
	for d := range g {
		subjects[layout.ReferrersTag(d)] = d
	}
	return func(tag string) digest.Digest {
		name, _, _ := strings.Cut(tag, ".")
		return subjects[name]
	}
}
