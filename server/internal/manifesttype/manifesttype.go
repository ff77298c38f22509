// Package manifesttype makes the engine accept manifests that a client names by a digest of any algorithm.
package manifesttype

import (
	"mime"
	"slices"
	"strings"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/manifest/manifestlist"
	"github.com/distribution/distribution/v3/manifest/schema2"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// bases are the types that the engine knows; without a type it guesses.
var bases = []string{v1.MediaTypeImageManifest, v1.MediaTypeImageIndex, schema2.MediaTypeManifest, manifestlist.MediaTypeManifestList, ""}

// The engine compares the digest of a pushed manifest with the one that the manifest's type computes,
// always with the same algorithm. So there are additional types that use another algorithm.
func init() {
	for _, algorithm := range []digest.Algorithm{digest.SHA384, digest.SHA512} {
		for _, base := range bases {
			err := distribution.RegisterManifestSchema(nameOf(algorithm, base), func(content []byte) (distribution.Manifest, v1.Descriptor, error) {
				m, d, err := distribution.UnmarshalManifest(base, content)
				d.Digest = algorithm.FromBytes(content)
				return m, d, err
			})
			if err != nil {
				panic(err)
			}
		}
	}
}

// private begins the names of those types.
const private = "application/vnd.container-registry."

func nameOf(algorithm digest.Algorithm, base string) string {
	return private + string(algorithm) + "+" + strings.TrimPrefix(base, "application/")
}

// For returns the type with which the engine accepts a manifest that the client names by a
// digest of this algorithm. Clients may not use the types made here themselves.
func For(algorithm digest.Algorithm, given string) string {
	if algorithm == digest.Canonical {
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(given)), private) {
			return ""
		}
		return given
	}
	base, _, err := mime.ParseMediaType(given)
	if err != nil || !slices.Contains(bases, base) {
		base = ""
	}
	return nameOf(algorithm, base)
}
