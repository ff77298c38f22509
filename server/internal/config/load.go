// Package config reads the configuration file and refuses what the engine would
// silently ignore or panic on.
package config

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/distribution/distribution/v3/configuration"

	"container-registry/server/internal/storage/gcs"
	"container-registry/server/internal/storage/oss"
	"container-registry/server/internal/storage/swift"
)

// driverChecks are the checks of the drivers that know themselves which of their parameters go together.
var driverChecks = map[string]func(map[string]any) error{"gcs": gcs.Check, "oss": oss.Check, "swift": swift.Check}

// Load reads, checks and parses the file. The error lists every problem found.
func Load(file string) (*Config, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return parsed(file, content)
}

// Read does the same with a configuration from another source; errors call it by name.
func Read(source io.Reader, name string) (*Config, error) {
	content, err := io.ReadAll(source)
	if err != nil {
		return nil, fmt.Errorf("configuration: %s: %w", name, err)
	}
	return parsed(name, content)
}

func parsed(name string, content []byte) (*Config, error) {
	if err := checkEnvironment(os.Environ()); err != nil {
		return nil, err
	}
	if err := check(name, content); err != nil {
		return nil, err
	}
	own, err := readServer(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	engines, err := configuration.Parse(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	complete(engines.Storage)
	if check := driverChecks[engines.Storage.Type()]; check != nil {
		if err := check(engines.Storage.Parameters()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return &Config{engines, own}, nil
}
