package images

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// parts is how many manifests of an index are read for its size.
const parts = 64

// Summary is a tag, with what a list shows of its image.
type Summary struct {
	Tag
	Kind      Kind
	Platforms []string
	// Size is of all it needs, each blob once.
	Size Size
	// About is how many attestations, signatures and the like there are.
	About int
}

// Summaries are in the order of the tags. Of what is not there or damaged they say so.
// Companions are the tags by which clients note what is about an image.
func (r *Reader) Summaries(ctx context.Context, repository string, tags []Tag, companions []string) ([]Summary, error) {
	found := make([]Summary, len(tags))
	err := each(ctx, len(tags), func(ctx context.Context, i int) error {
		found[i] = Summary{Tag: tags[i], Kind: Broken}
		if tags[i].Digest == "" {
			return nil
		}
		err := r.summarize(ctx, repository, &found[i], companions)
		if errors.Is(err, ErrMissing) {
			return nil
		}
		return err
	})
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
	var links []digest.Digest
	err = r.ask(ctx, func() (err error) {
		links, err = layout.Digests(ctx, r.driver, layout.ReferrersPath(repository, s.Digest))
		return err
	})
	if err != nil {
		return err
	}
	s.Kind, s.Size, s.About = m.Kind(), image.Size, len(links)+len(CompanionsOf(s.Digest, companions))
	for _, part := range image.Parts {
		s.About += len(part.Attestations)
		if name := part.Platform.String(); name != "" && !slices.Contains(s.Platforms, name) {
			s.Platforms = append(s.Platforms, name)
		}
	}
	if c := image.Config; c != nil && s.Kind == Image {
		if name := c.Platform.String(); name != "" {
			s.Platforms = []string{name}
		}
	}
	return nil
}

// CompanionsOf are the tags of what is about an image. The one without an ending is a list of
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
	Size   Size
	// Parts are the manifests of an index.
	Parts []Part
}

// Part is a manifest of an index, with the attestations that are about it.
type Part struct {
	Digest       digest.Digest
	MediaType    Text
	Platform     Platform
	Size         Size
	Missing      bool
	Attestations []Attestation
}

// Attestation is a manifest of BuildKit's.
type Attestation struct {
	Digest digest.Digest
	// Predicates are the types of what it says.
	Predicates []Text
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
	image := &Described{Manifest: m, Config: config}
	sum := sum{}
	sum.add(m)
	attested := map[digest.Digest][]Attestation{}
	for _, d := range m.Manifests.Items[:min(parts, len(m.Manifests.Items))] {
		if d.Digest == "" {
			continue
		}
		child, err := r.part(ctx, digest.Digest(d.Digest))
		if err != nil && !errors.Is(err, ErrMissing) {
			return nil, err
		}
		part := Part{Digest: digest.Digest(d.Digest), MediaType: d.MediaType, Missing: err != nil}
		if d.Platform != nil {
			part.Platform = *d.Platform
		}
		if child != nil {
			sum.add(child)
			part.Size = SizeOf(child)
		}
		if about := attestedOf(d); about != "" {
			attested[about] = append(attested[about], Attestation{part.Digest, predicates(child)})
			continue
		}
		image.Parts = append(image.Parts, part)
	}
	for i, part := range image.Parts {
		image.Parts[i].Attestations = attested[part.Digest]
	}
	image.Size = sum.total()
	return image, nil
}

func predicates(m *Manifest) []Text {
	var types []Text
	if m == nil {
		return nil
	}
	for _, layer := range m.Layers.Items {
		if name := Text(layer.Annotations.Of("in-toto.io/predicate-type")); name != "" && !slices.Contains(types, name) {
			types = append(types, name)
		}
	}
	return types
}

// SizeOf is of all that a manifest needs itself.
func SizeOf(manifests ...*Manifest) Size {
	all := sum{}
	for _, m := range manifests {
		all.add(m)
	}
	return all.total()
}

// sum is the size of each blob.
type sum map[digest.Digest]Size

func (s sum) add(m *Manifest) {
	s[m.Digest] = Size(m.Bytes)
	for _, layer := range m.Layers.Items {
		s[digest.Digest(layer.Digest)] = layer.Size
	}
	if m.Config != nil {
		s[digest.Digest(m.Config.Digest)] = m.Config.Size
	}
}

func (s sum) total() (all Size) {
	for _, size := range s {
		all = all.Plus(size)
	}
	return all
}
