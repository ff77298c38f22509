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
	// manyManifests is how many manifests a repository may have for all of them to be looked at.
	manyManifests = 1000
	// manyFolders is how many there may have been: a folder keeps one for each.
	manyFolders = 10 * manyManifests
	// manyDigests is how many digests they may refer to, which are kept meanwhile.
	manyDigests = 100_000
)

// ErrMany is a repository of which too much would have to be looked at.
var ErrMany = errors.New("there are too many manifests")

// graph are the manifests of a repository.
type graph map[digest.Digest]*node

// node is what is kept of a manifest where all are looked at.
type node struct {
	pushed  time.Time
	subject digest.Digest
	// parts are what it lists, about what is about it, and more is set where it lists more.
	parts, about []digest.Digest
	more         bool
	// sizes are of the blobs that it needs itself.
	sizes map[digest.Digest]Size
}

// graph is ErrMany where it would be too large.
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

// nodeOf is of nil for a manifest that is damaged.
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

// reach are manifests and what they lead to, however far away. Each is looked at once, as lists
// may name the same time and again.
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

// subjectOf says which of the manifests a tag is about, as that of a signature; none for most tags.
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
