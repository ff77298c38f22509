package config

import (
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"
)

// Notification is an endpoint that is notified of pushes and deletions.
type Notification struct {
	Name    string            `yaml:"name"`
	URL     string            `yaml:"url"`
	Headers map[string]string `yaml:"headers"`
	// Actions and Repositories cover everything if they are empty; a repository may end in *.
	Actions      []string `yaml:"actions"`
	Repositories []string `yaml:"repositories"`
	// CA has the certificates that are trusted instead of the public ones.
	CA string `yaml:"ca"`
}

func notificationRule() *rule {
	return &rule{kind: section, keys: map[string]*rule{
		"name": {kind: text, required: true, valid: endpointName},
		// It may have a token in its path or query.
		"url":          {kind: text, required: true, secret: true, valid: webURL("a password goes into headers")},
		"headers":      {kind: table, valid: headerName, item: &rule{kind: text, secret: true, valid: headerValue}},
		"actions":      {kind: list, item: &rule{kind: text, allowed: []string{"push", "delete"}}},
		"repositories": {kind: list, item: &rule{kind: text, required: true}},
		"ca":           {kind: text, secret: true, valid: certificates},
	}}
}

var endpointNames = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func endpointName(value string) error {
	if !endpointNames.MatchString(value) {
		return errors.New("must be of small letters, digits and hyphens, 63 at most")
	}
	return nil
}

var (
	// headerNames are those of RFC 9110.
	headerNames  = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	headerValues = regexp.MustCompile(`^[\t\x20-\x7e]+$`)
	// takenHeaders describe the request itself, and not its sender.
	takenHeaders = regexp.MustCompile(`^(?i:host|content-.*|transfer-encoding|connection|expect|upgrade|trailer|te)$`)
)

func headerName(name string) error {
	if !headerNames.MatchString(name) {
		return errors.New("is not the name of a header; give letters, digits and hyphens")
	}
	if takenHeaders.MatchString(name) {
		return errors.New("is set by the server itself")
	}
	return nil
}

func headerValue(value string) error {
	if !headerValues.MatchString(value) {
		return errors.New("must be of ASCII characters in one line, and not empty")
	}
	return nil
}

func certificates(value string) error {
	if !x509.NewCertPool().AppendCertsFromPEM([]byte(value)) {
		return errors.New("has no certificate in PEM")
	}
	return nil
}

// notifications checks how the endpoints relate to each other.
func (c *checker) notifications(root *yaml.Node) {
	list := find(root, "server", "notifications")
	if list == nil || list.Kind != yaml.SequenceNode {
		return
	}
	if find(root, "proxy") != nil {
		c.problems.add(list.Line, "server.notifications", "not allowed with proxy: nobody pushes to a mirror")
	}
	seen := map[string]bool{}
	for i, each := range list.Content {
		name := find(each, "name")
		if name != nil && seen[name.Value] {
			c.problems.add(name.Line, fmt.Sprintf("server.notifications[%d].name", i), "%s: given twice", quote(name.Value))
		}
		seen[value(name)] = true
	}
}
