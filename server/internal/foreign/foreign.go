// Package foreign decides about layers that are not in the registry: an image names URLs in
// their place (foreign layers of Docker, non-distributable ones of OCI).
package foreign

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/manifest/schema2"
)

// Complete allows what the specification has registries take, by TLS, where nothing is said.
// Clients check the digest of such a layer, but over plain HTTP everybody on the way learns
// of it and may keep it from them.
func Complete(validation *configuration.Validation) {
	if urls := &validation.Manifests.URLs; len(urls.Allow) == 0 && len(urls.Deny) == 0 {
		urls.Allow = []string{"^(?i:https)://"}
	}
}

// rules are validation.manifests.urls. The engine keeps to them too, but for kinds of layers
// that it does not know, and with an error of its own (500) for the client's.
type rules struct{ allow, deny *regexp.Regexp }

// rulesOf are none where nothing is validated, but for those that the engine has even then.
func rulesOf(validation configuration.Validation) rules {
	if validation.Disabled {
		return rules{}
	}
	urls := validation.Manifests.URLs
	return rules{anyOf(urls.Allow), anyOf(urls.Deny)}
}

// anyOf is nil without expressions, which were checked with the file.
func anyOf(expressions []string) *regexp.Regexp {
	if len(expressions) == 0 {
		return nil
	}
	return regexp.MustCompile("(?:" + strings.Join(expressions, ")|(?:") + ")")
}

// check looks at a manifest; what can't be read is the engine's to refuse.
func (r rules) check(manifest []byte) error {
	var fields struct {
		MediaType string `json:"mediaType"`
		Layers    []struct {
			MediaType string   `json:"mediaType"`
			URLs      []string `json:"urls"`
		} `json:"layers"`
	}
	// Beside an error there is what could be read.
	_ = json.Unmarshal(manifest, &fields)
	for i, layer := range fields.Layers {
		if fields.MediaType == schema2.MediaTypeManifest && layer.MediaType == schema2.MediaTypeForeignLayer && len(layer.URLs) == 0 {
			return fmt.Errorf("layers[%d].urls: there are none, and a foreign layer is nowhere else", i)
		}
		for j, each := range layer.URLs {
			if !r.takes(each) {
				return fmt.Errorf("layers[%d].urls[%d]: %.200q is no place where this registry lets layers be", i, j, each)
			}
		}
	}
	return nil
}

func (r rules) takes(text string) bool {
	parsed, err := url.Parse(text)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Fragment == "" &&
		(r.allow == nil || r.allow.MatchString(text)) && (r.deny == nil || !r.deny.MatchString(text))
}
