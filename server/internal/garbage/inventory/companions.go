package inventory

import (
	"github.com/opencontainers/go-digest"

	"container-registry/server/internal/layout"
)

// SubjectOf is the digest of the manifest that a tag is about. It is empty for other tags, and if only a part
// of the digest is known and no manifest here begins with it. A tag is not about the manifest that it
// names: imgpkg gives each image a tag of the image's own digest, to keep it.
func (r *Repository) SubjectOf(tag string) (subject digest.Digest) {
	algorithm, encoded, ok := layout.Companion(tag)
	switch {
	case !ok:
	case algorithm == digest.Canonical:
		subject = digest.NewDigestFromEncoded(digest.Canonical, encoded)
	default:
		subject = r.longer[algorithm.String()+"-"+encoded]
	}
	if subject == r.Tags[tag].Current {
		return ""
	}
	return subject
}

// IsOwn says whether a tag says no more than the digest of the manifest that it names. cosign copy gives such
// a tag to all that it copies, besides the tag that it was asked for.
func (r *Repository) IsOwn(tag string) bool {
	current := r.Tags[tag].Current
	return current != "" && tag == layout.ReferrersTag(current)
}
