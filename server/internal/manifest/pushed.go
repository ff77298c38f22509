package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// ParsePushed also refuses manifests that make the engine report a fault of its own (500), when they
// are pushed or each time that somebody asks for them, and those with a subject by which nobody would
// ever find them. No client sends such manifests on purpose.
func ParsePushed(content []byte) (*Manifest, error) {
	if n := values(content); n > mostValues {
		return nil, fmt.Errorf("it has %d values, and a manifest %d at most", n, mostValues)
	}
	m, err := Parse(content)
	if err != nil {
		return nil, err
	}
	if m.version != 2 {
		return nil, unversioned(content, m.version)
	}
	named := slices.Concat(m.Blobs, m.Manifests)
	if m.about {
		named = append(named, m.Subject)
	}
	for _, d := range named {
		if err := d.Validate(); err != nil {
			return nil, fmt.Errorf("%.200q: %w", d, err)
		}
	}
	return m, unrepeated(content)
}

// withdrawn are the types of artifacts in drafts of OCI 1.1, which have no version.
var withdrawn = []string{"application/vnd.oci.artifact.manifest.v1+json", "application/vnd.cncf.oras.artifact.manifest.v1+json"}

func unversioned(content []byte, version int) error {
	var said struct {
		MediaType string `json:"mediaType"`
	}
	if json.Unmarshal(content, &said) == nil && slices.Contains(withdrawn, said.MediaType) {
		return fmt.Errorf("%s was withdrawn from OCI 1.1; push an image manifest with an artifactType, as newer clients do", said.MediaType)
	}
	return fmt.Errorf("schemaVersion is %d, and 2 in all manifests this registry takes", version)
}

// mostValues is more than the layers of the longest manifest have, as clients describe them. Wherever a manifest
// is read, each value takes the memory that its kind needs, however short its text.
const mostValues = 1 << 17

// values counts the values of an object, at all depths.
func values(object []byte) (n int) {
	text := false
	for i := 0; i < len(object); i++ {
		switch c := object[i]; {
		case c == '"':
			text = !text
		case text && c == '\\':
			i++
		case !text && (c == ',' || c == '{' || c == '['):
			n++
		}
	}
	return n
}

// unrepeated returns an error if an object has a name twice, regardless of case: one of the
// engine's readers fails on the first value, while another one sees only the last.
func unrepeated(object []byte) error {
	fields := json.NewDecoder(bytes.NewReader(object))
	_, err := fields.Token()
	for seen := map[string]bool{}; err == nil && fields.More(); {
		var name json.Token
		if name, err = fields.Token(); err != nil {
			break
		}
		// Through upper case, because some letters have two lower-case forms.
		folded := strings.ToLower(strings.ToUpper(fmt.Sprint(name)))
		if seen[folded] {
			return fmt.Errorf("%.200q is there twice", name)
		}
		seen[folded] = true
		err = fields.Decode(new(json.RawMessage))
	}
	return err
}
