// Package config reads the configuration file and refuses what the engine would
// silently ignore or panic on.
package config

import (
	"bytes"
	"fmt"
	"os"

	"github.com/distribution/distribution/v3/configuration"
)

// Load reads, checks and parses the file. The error lists every problem found.
func Load(file string) (*configuration.Configuration, error) {
	if err := checkEnvironment(os.Environ()); err != nil {
		return nil, err
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if err := check(file, content); err != nil {
		return nil, err
	}
	parsed, err := configuration.Parse(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return parsed, nil
}
