package config

import (
	"github.com/distribution/distribution/v3/configuration"
	"go.yaml.in/yaml/v2"
)

// Config is the engine's configuration, and what this server has beyond it.
type Config struct {
	*configuration.Configuration
	Server Server
}

// Server is the section server of the file, which the engine passes by.
type Server struct {
	// TrustedProxies may say whom a request comes from.
	TrustedProxies []Network `yaml:"trustedproxies"`
	// UI is the page for people, below ui/.
	UI struct {
		Enabled bool `yaml:"enabled"`
	} `yaml:"ui"`
	// Audit is the record of who did what; none without a folder.
	Audit struct {
		Folder string `yaml:"folder"`
		// Reads has pulls in it as well.
		Reads bool `yaml:"reads"`
	} `yaml:"audit"`
	// Mirror is of a pull-through cache.
	Mirror struct {
		// MaxBytes is what the cache may hold; 0 for as much as there is room for.
		MaxBytes int64 `yaml:"maxbytes"`
	} `yaml:"mirror"`
	// Notifications are who is told of what is pushed and deleted.
	Notifications []Notification `yaml:"notifications"`
}

// serverRule is of that section.
func serverRule() *rule {
	return &rule{kind: section, keys: map[string]*rule{
		"trustedproxies": {kind: list, item: &rule{kind: text, valid: network}},
		"ui":             {kind: section, keys: map[string]*rule{"enabled": {kind: boolean}}},
		"audit": {kind: section, keys: map[string]*rule{
			"folder": {kind: text, required: true, valid: leadingSlash},
			"reads":  {kind: boolean},
		}},
		"mirror":        {kind: section, keys: map[string]*rule{"maxbytes": {kind: integer, minimum: 1_000_000}}},
		"notifications": {kind: list, item: notificationRule()},
	}}
}

// readServer reads it from a file that was checked.
func readServer(content []byte) (Server, error) {
	var file struct {
		Server Server `yaml:"server"`
	}
	err := yaml.Unmarshal(content, &file)
	return file.Server, err
}
