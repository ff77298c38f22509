package images

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Descriptor is what a manifest says of a blob or another manifest.
type Descriptor struct {
	MediaType    Word
	ArtifactType Word
	Digest       Digest
	Size         Size
	Platform     *Platform
	Annotations  Remarks
}

// Remarks are the annotations of a descriptor that are used. Keeping all of them, on each of a thousand layers,
// would take many times the memory of the rest.
type Remarks struct {
	// Reference and Referred are BuildKit's: what an entry of an index is, and which image it is about.
	Reference Word   `json:"vnd.docker.reference.type"`
	Referred  Digest `json:"vnd.docker.reference.digest"`
	// Predicate is the type of the statement in a layer.
	Predicate Word `json:"in-toto.io/predicate-type"`
}

// Platform is what an image runs on.
type Platform struct {
	OS, Architecture, Variant Word
	// OSVersion distinguishes images for Windows.
	OSVersion Word `json:"os.version"`
}

// String is for example linux/arm64/v8, or windows/amd64 10.0.20348.2113. It is empty if nothing is known.
func (p Platform) String() string {
	var parts []string
	for _, each := range []Word{p.OS, p.Architecture, p.Variant} {
		if each != "" {
			parts = append(parts, string(each))
		}
	}
	return strings.TrimSpace(strings.Join(parts, "/") + " " + string(p.OSVersion))
}

// Kind is what people call a manifest like this one.
type Kind string

const (
	Image Kind = "image"
	// Encrypted is an image with layers that nobody can unpack without a key.
	Encrypted Kind = "encrypted image"
	Index     Kind = "index"
	Chart     Kind = "chart"
	Artifact  Kind = "artifact"
	// Broken is a manifest that is gone or damaged.
	Broken Kind = "broken"
)

const (
	dockerConfig = "application/vnd.docker.container.image.v1+json"
	chartConfig  = "application/vnd.cncf.helm.config.v1+json"
)

// Manifest is what people want to know about a manifest.
type Manifest struct {
	Digest       digest.Digest
	MediaType    Word
	ArtifactType Word
	// Bytes is the size of the manifest itself.
	Bytes       int64
	Config      *Descriptor
	Layers      List[Descriptor]
	Manifests   List[Descriptor]
	Subject     *Descriptor
	Annotations Pairs
}

// parse reads a manifest that the engine accepted, as far as it can be read. It fails if the content does not
// have the digest.
func parse(d digest.Digest, content []byte) (*Manifest, bool) {
	if d.Algorithm().FromBytes(content) != d {
		return nil, false
	}
	var fields struct {
		MediaType    Word
		ArtifactType Word
		Config       *Descriptor
		Layers       List[Descriptor]
		Blobs        List[Descriptor]
		Manifests    List[Descriptor]
		FSLayers     List[struct{ BlobSum Digest }]
		Subject      *Descriptor
		Annotations  Pairs
	}
	// The content is a JSON object, because the engine accepted it. Fields of other types are left out.
	_ = json.Unmarshal(content, &fields)
	m := &Manifest{
		Digest: d, MediaType: fields.MediaType, ArtifactType: fields.ArtifactType, Bytes: int64(len(content)),
		Config: fields.Config, Layers: fields.Layers, Manifests: fields.Manifests, Subject: fields.Subject, Annotations: fields.Annotations,
	}
	if m.Layers.Count == 0 {
		m.Layers = fields.Blobs
	}
	for _, each := range fields.FSLayers.Items {
		m.Layers.Items = append(m.Layers.Items, Descriptor{Digest: each.BlobSum})
		m.Layers.Count++
	}
	if m.ArtifactType == "" && m.Config != nil {
		m.ArtifactType = m.Config.MediaType
	}
	return m, true
}

// Kind follows from what the manifest contains.
func (m *Manifest) Kind() Kind {
	switch {
	case m.Manifests.Count > 0 || m.MediaType == v1.MediaTypeImageIndex || strings.Contains(string(m.MediaType), "manifest.list"):
		return Index
	case m.Config == nil && m.ArtifactType == "", m.ArtifactType == v1.MediaTypeImageConfig, m.ArtifactType == dockerConfig:
		if slices.ContainsFunc(m.Layers.Items, func(d Descriptor) bool { return strings.HasSuffix(string(d.MediaType), "+encrypted") }) {
			return Encrypted
		}
		return Image
	case m.ArtifactType == chartConfig:
		return Chart
	default:
		return Artifact
	}
}

// attestedOf is the digest of the image that an entry of BuildKit's attests, empty for other entries.
func attestedOf(d Descriptor) digest.Digest {
	if d.Annotations.Reference != "attestation-manifest" {
		return ""
	}
	return digest.Digest(d.Annotations.Referred)
}

// listed are the manifests of an index, each once.
func (m *Manifest) listed() []digest.Digest {
	var all []digest.Digest
	seen := map[digest.Digest]bool{"": true}
	for _, each := range m.Manifests.Items {
		if d := digest.Digest(each.Digest); !seen[d] {
			seen[d] = true
			all = append(all, d)
		}
	}
	return all
}
