package garbage

import (
	"fmt"
	"time"

	"container-registry/server/internal/garbage/retention"

	"github.com/distribution/distribution/v3/configuration"
	"go.yaml.in/yaml/v2"
)

// Options are storage.maintenance.garbagecollection.
type Options struct {
	Schedule       string           `yaml:"schedule"`
	TimeZone       string           `yaml:"timezone"`
	DeleteUntagged bool             `yaml:"deleteuntagged"`
	Grace          time.Duration    `yaml:"grace"`
	Retention      retention.Policy `yaml:"retention"`

	// DryRun only says what would be deleted.
	DryRun bool `yaml:"-"`
}

// OptionsOf reads the section. The zero value is for a configuration without it.
func OptionsOf(c *configuration.Configuration) (Options, error) {
	// Retention is a dry run by default: what is only logged can't be regretted.
	options := Options{Retention: retention.Policy{DryRun: true}}
	section, ok := c.Storage["maintenance"]["garbagecollection"]
	if !ok {
		return options, nil
	}
	content, err := yaml.Marshal(section)
	if err == nil {
		err = yaml.Unmarshal(content, &options)
	}
	if err != nil {
		return options, fmt.Errorf("storage.maintenance.garbagecollection: %w", err)
	}
	return options, nil
}
