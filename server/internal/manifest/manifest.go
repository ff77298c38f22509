// Package manifest reads what a manifest of any type refers to.
package manifest

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/opencontainers/go-digest"
)

// MostBytes is how long a manifest may be: the engine's own limit.
const MostBytes = 4 << 20

// MostTags is how many tags one push may set, each of which is read and written. The OCI
// specification demands at least 10.
const MostTags = 100

// Manifest is an image, an index, or an artifact.
type Manifest struct {
	// Blobs are its configuration and layers.
	Blobs []digest.Digest
	// Manifests are the entries of an index.
	Manifests []digest.Digest
	// Subject is the manifest that this one is about, as with a signature; empty if there is none.
	Subject digest.Digest
	// version is its schemaVersion, and about says that there is a subject, even an empty one.
	// Only a push needs these.
	version int
	about   bool
}

type descriptor struct {
	Digest digest.Digest `json:"digest"`
}

// errNoObject is the error for bytes that no client ever pushed as a manifest.
var errNoObject = errors.New("it is no JSON object")

// Parse reads images and indexes of OCI and Docker, artifacts, and Docker's schema 1. The
// engine accepts manifests in which fields that it does not know have a wrong type. For
// such a manifest, Parse returns what can be read beside the error.
func Parse(content []byte) (*Manifest, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(content), []byte("{")) {
		return nil, errNoObject
	}
	var fields struct {
		Version   int          `json:"schemaVersion"`
		Config    *descriptor  `json:"config"`
		Layers    []descriptor `json:"layers"`
		Blobs     []descriptor `json:"blobs"`
		Manifests []descriptor `json:"manifests"`
		Subject   *descriptor  `json:"subject"`
		FSLayers  []struct {
			BlobSum digest.Digest `json:"blobSum"`
		} `json:"fsLayers"`
	}
	err := json.Unmarshal(content, &fields)
	if err != nil && !errors.As(err, new(*json.UnmarshalTypeError)) {
		return nil, err
	}
	m := &Manifest{version: fields.Version}
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
		m.Subject, m.about = fields.Subject.Digest, true
	}
	return m, err
}

// References returns all digests that the manifest refers to.
func (m *Manifest) References() []digest.Digest {
	all := append(append([]digest.Digest{}, m.Blobs...), m.Manifests...)
	if m.Subject != "" {
		all = append(all, m.Subject)
	}
	return all
}
