package images

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

const (
	// parts limits how many manifests of an index are read for its size, and how many below those.
	parts = 64
	// manyNames is how many platforms of an image are named in a list, and how many predicates of an
	// attestation.
	manyNames = 20
	// manyBlobs is how many blobs of an image are counted.
	manyBlobs = 10_000
)

// Summary is a tag, with what a list shows of its image.
type Summary struct {
	Tag
	Kind      Kind
	Platforms List[string]
	Need
	// About is how many attestations, signatures and the like there are.
	About int
}

// Summaries returns them in the order of the tags. Images that are missing or damaged are marked as such.
// companions are the tags under which clients keep what is about an image.
func (r *Reader) Summaries(ctx context.Context, repository string, tags []Tag, companions []string) ([]Summary, error) {
	found := make([]Summary, len(tags))
	// Each image is read once, for the first of its tags.
	first := map[digest.Digest]int{}
	for i, tag := range tags {
		if _, ok := first[tag.Digest]; !ok {
			first[tag.Digest] = i
		}
	}
	err := each(ctx, len(tags), func(ctx context.Context, i int) error {
		found[i] = Summary{Tag: tags[i], Kind: Broken}
		if tags[i].Digest == "" || first[tags[i].Digest] != i {
			return nil
		}
		err := r.summarize(ctx, repository, &found[i], companions)
		if errors.Is(err, ErrMissing) {
			return nil
		}
		return err
	})
	for i, tag := range tags {
		found[i] = found[first[tag.Digest]]
		found[i].Tag = tag
	}
	return found, err
}

func (r *Reader) summarize(ctx context.Context, repository string, s *Summary, companions []string) error {
	m, err := r.Manifest(ctx, repository, s.Digest)
	if err != nil {
		return err
	}
	image, err := r.describe(ctx, m)
	if err != nil {
		return err
	}
	s.Kind, s.Need, s.About = m.Kind(), image.Need, len(CompanionsOf(s.Digest, companions))
	var platforms []string
	for _, part := range image.Parts {
		s.About += len(part.Attestations)
		for _, name := range part.Platforms {
			if !slices.Contains(platforms, name) {
				platforms = append(platforms, name)
			}
		}
	}
	if c := image.Config; c != nil && (s.Kind == Image || s.Kind == Encrypted) {
		if name := c.Platform.String(); name != "" {
			platforms = []string{name}
		}
	}
	s.Platforms = List[string]{platforms[:min(manyNames, len(platforms))], len(platforms) + image.Unread}
	return r.turns.UseDigests(ctx, r.lists, layout.ReferrersPath(repository, s.Digest), func(links []digest.Digest) error {
		s.About += len(links)
		return nil
	})
}

// CompanionsOf are the tags of what is about an image. The tag without an ending is not one of them: it lists
// what is linked as well.
func CompanionsOf(d digest.Digest, companions []string) []string {
	var found []string
	for _, name := range companions {
		if strings.HasPrefix(name, layout.ReferrersTag(d)+".") {
			found = append(found, name)
		}
	}
	return found
}

// Described is a manifest with what it consists of.
type Described struct {
	*Manifest
	Config *Config
	Need
	// Parts are the manifests of an index, each once.
	Parts []Part
	// Unread is the number of entries of an index that were not read.
	Unread int
}

// Need is the size of all that an image needs, each blob once.
type Need struct {
	Size Size
	// More is set if not all of it was read.
	More bool
}

// Part is a manifest of an index, with the attestations that are about it.
type Part struct {
	Digest digest.Digest
	// Platforms are those for which the index lists it.
	Platforms []string
	Need
	Missing      bool
	Attestations []Attestation
}

// Attestation is an attestation manifest made by BuildKit.
type Attestation struct {
	Digest digest.Digest
	// Predicates are the types of its statements.
	Predicates List[Word]
}

// Describe reads what a manifest consists of.
func (r *Reader) Describe(ctx context.Context, repository string, d digest.Digest) (*Described, error) {
	m, err := r.Manifest(ctx, repository, d)
	if err != nil {
		return nil, err
	}
	return r.describe(ctx, m)
}

func (r *Reader) describe(ctx context.Context, m *Manifest) (*Described, error) {
	config, err := r.Config(ctx, m)
	if err != nil {
		return nil, err
	}
	entries := m.Manifests.Items[:min(parts, len(m.Manifests.Items))]
	image := &Described{Manifest: m, Config: config, Unread: m.Manifests.Count - len(entries)}
	all := newSum()
	all.add(m)
	all.more = all.more || image.Unread > 0
	attested := map[digest.Digest][]Attestation{}
	deeper := parts
	for _, entry := range entries {
		d, about := digest.Digest(entry.Digest), attestedOf(entry)
		known := slices.IndexFunc(image.Parts, func(p Part) bool { return p.Digest == d })
		switch {
		case d == "" || about != "" && slices.ContainsFunc(attested[about], func(a Attestation) bool { return a.Digest == d }):
			continue
		case about == "" && known >= 0:
			image.Parts[known].name(entry.Platform)
			continue
		}
		child, err := r.part(ctx, d)
		if err != nil && !errors.Is(err, ErrMissing) {
			return nil, err
		}
		own := newSum()
		if child != nil {
			own.add(child)
			if err := r.addBelow(ctx, own, child.listed(), &deeper); err != nil {
				return nil, err
			}
			all.join(own)
		}
		if about != "" {
			attested[about] = append(attested[about], Attestation{d, predicates(child)})
			continue
		}
		part := Part{Digest: d, Need: own.total(), Missing: child == nil}
		part.name(entry.Platform)
		image.Parts = append(image.Parts, part)
	}
	for i, part := range image.Parts {
		image.Parts[i].Attestations = attested[part.Digest]
	}
	image.Need = all.total()
	return image, nil
}

// name adds a platform.
func (p *Part) name(platform *Platform) {
	if platform == nil {
		return
	}
	if name := platform.String(); name != "" && !slices.Contains(p.Platforms, name) {
		p.Platforms = append(p.Platforms, name)
	}
}

// addBelow adds manifests and what they list, however far down, as long as more may be read.
func (r *Reader) addBelow(ctx context.Context, to *sum, rest []digest.Digest, left *int) error {
	for ; len(rest) > 0; rest = rest[1:] {
		if _, ok := to.sizes[rest[0]]; ok {
			continue
		}
		if *left == 0 {
			to.more = true
			return nil
		}
		*left--
		m, err := r.part(ctx, rest[0])
		if errors.Is(err, ErrMissing) {
			continue
		}
		if err != nil {
			return err
		}
		to.add(m)
		rest = append(rest, m.listed()...)
	}
	return nil
}

func predicates(m *Manifest) (types List[Word]) {
	if m == nil {
		return types
	}
	seen := map[Word]bool{"": true}
	for _, layer := range m.Layers.Items {
		if name := layer.Annotations.Predicate; !seen[name] {
			seen[name] = true
			types.Items = append(types.Items, name)
		}
	}
	types.Count = len(types.Items)
	types.Items = types.Items[:min(manyNames, types.Count)]
	return types
}

// sum is the size of each blob.
type sum struct {
	sizes map[digest.Digest]Size
	// more is set if not all blobs are in it.
	more bool
}

func newSum() *sum { return &sum{sizes: map[digest.Digest]Size{}} }

func (s *sum) add(m *Manifest) {
	s.more = s.more || m.Layers.More() > 0 || m.Manifests.More() > 0
	s.put(m.Digest, Size(m.Bytes))
	for _, layer := range m.Layers.Items {
		s.put(digest.Digest(layer.Digest), layer.Size)
	}
	if m.Config != nil {
		s.put(digest.Digest(m.Config.Digest), m.Config.Size)
	}
}

func (s *sum) put(d digest.Digest, size Size) {
	if _, ok := s.sizes[d]; !ok && len(s.sizes) == manyBlobs {
		s.more = true
		return
	}
	s.sizes[d] = size
}

func (s *sum) join(other *sum) {
	s.more = s.more || other.more
	for d, size := range other.sizes {
		s.put(d, size)
	}
}

func (s *sum) total() (all Need) {
	for _, size := range s.sizes {
		all.Size = all.Size.Plus(size)
	}
	all.More = s.more
	return all
}
