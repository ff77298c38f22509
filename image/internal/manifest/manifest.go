// Package manifest reads what a manifest refers to, whatever its type.
package manifest

import (
	"encoding/json"

	"github.com/opencontainers/go-digest"
)

// Manifest is an image, an index, or an artifact.
type Manifest struct {
	// Blobs are its configuration and layers.
	Blobs []digest.Digest
	// Manifests are what an index lists.
	Manifests []digest.Digest
	// Subject is the manifest that this one is about, as a signature is; empty without.
	Subject digest.Digest
}

type descriptor struct {
	Digest digest.Digest `json:"digest"`
}

// Parse reads images and indexes of OCI and Docker, artifacts, and Docker's schema 1.
func Parse(content []byte) (*Manifest, error) {
	var fields struct {
		Config    *descriptor  `json:"config"`
		Layers    []descriptor `json:"layers"`
		Blobs     []descriptor `json:"blobs"`
		Manifests []descriptor `json:"manifests"`
		Subject   *descriptor  `json:"subject"`
		FSLayers  []struct {
			BlobSum digest.Digest `json:"blobSum"`
		} `json:"fsLayers"`
	}
	if err := json.Unmarshal(content, &fields); err != nil {
		return nil, err
	}
	m := &Manifest{}
	if fields.Config != nil {
		m.Blobs = append(m.Blobs, fields.Config.Digest)
	}
	for _, each := range append(fields.Layers, fields.Blobs...) {
		m.Blobs = append(m.Blobs, each.Digest)
	}
	for _, each := range fields.FSLayers {
		m.Blobs = append(m.Blobs, each.BlobSum)
	}
	for _, each := range fields.Manifests {
		m.Manifests = append(m.Manifests, each.Digest)
	}
	if fields.Subject != nil {
		m.Subject = fields.Subject.Digest
	}
	return m, nil
}

// References are all digests in it.
func (m *Manifest) References() []digest.Digest {
	all := append(append([]digest.Digest{}, m.Blobs...), m.Manifests...)
	if m.Subject != "" {
		all = append(all, m.Subject)
	}
	return all
}
