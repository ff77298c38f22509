package referrers

import (
	"context"
	"slices"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
	"container-registry/server/internal/manifest"
)

// part is the beginning of what may be about a manifest, in order, each once.
type part struct {
	digests []digest.Digest
	// more is set where it is not all.
	more bool
}

func (p *part) add(all []digest.Digest, room int) {
	all = append(p.digests, all...)
	slices.Sort(all)
	all = slices.Compact(all)
	if len(all) > room {
		all, p.more = slices.Clone(all[:room]), true
	}
	p.digests = all
}

// candidates are those after a digest, without what is known not to be large where the large are asked
// for, and as many as there is room for.
func (q question) candidates(ctx context.Context, after string, isLarge bool, room int) (found part, err error) {
	use := func(all []digest.Digest) error {
		found.add(slices.DeleteFunc(all, func(d digest.Digest) bool { return d.String() <= after || isLarge && q.isSmall(d) }), room)
		return nil
	}
	if err := q.turns.UseDigests(ctx, q.driver, layout.ReferrersPath(q.repository, q.subject), use); err != nil {
		return found, err
	}
	tagged, err := q.tagged(ctx, q.repository, q.subject)
	if err != nil {
		return found, err
	}
	return found, use(tagged)
}

// tagged are those that clients noted where a server does not.
func (l *Lister) tagged(ctx context.Context, repository string, subject digest.Digest) (noted []digest.Digest, err error) {
	content, err := l.get(ctx, layout.TagPath(repository, layout.ReferrersTag(subject)))
	if err != nil || digest.Digest(content).Validate() != nil {
		return nil, err
	}
	err = l.open(ctx, digest.Digest(content), func(content []byte) error {
		if index, _ := manifest.Parse(content); index != nil {
			noted = slices.DeleteFunc(index.Manifests, func(d digest.Digest) bool { return d.Validate() != nil })
		}
		return nil
	})
	return noted, err
}
