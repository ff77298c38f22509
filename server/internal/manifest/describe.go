package manifest

import (
	"encoding/json"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// Describe returns the descriptor by which a manifest is listed among the referrers of its
// subject. The subject is empty if the manifest has none.
func Describe(d digest.Digest, content []byte) (descriptor v1.Descriptor, subject digest.Digest) {
	var fields struct {
		MediaType    string            `json:"mediaType"`
		ArtifactType string            `json:"artifactType"`
		Config       *v1.Descriptor    `json:"config"`
		Manifests    json.RawMessage   `json:"manifests"`
		Subject      *v1.Descriptor    `json:"subject"`
		Annotations  map[string]string `json:"annotations"`
	}
	// A manifest that the engine accepted can be read as far as the engine reads it.
	_ = json.Unmarshal(content, &fields)
	if fields.Subject == nil {
		return v1.Descriptor{}, ""
	}
	if fields.MediaType == "" {
		fields.MediaType = v1.MediaTypeImageManifest
		if fields.Manifests != nil {
			fields.MediaType = v1.MediaTypeImageIndex
		}
	}
	if fields.ArtifactType == "" && fields.Config != nil {
		fields.ArtifactType = fields.Config.MediaType
	}
	return v1.Descriptor{
		MediaType:    fields.MediaType,
		ArtifactType: fields.ArtifactType,
		Digest:       d,
		Size:         int64(len(content)),
		Annotations:  fields.Annotations,
	}, fields.Subject.Digest
}
