package config

import (
	"github.com/distribution/distribution/v3/configuration"
	"go.yaml.in/yaml/v2"
)

// Config is the engine's configuration with this server's additions.
type Config struct {
	*configuration.Configuration
	Server Server
}

// Server is the file's section server, which the engine ignores.
type Server struct {
	// TrustedProxies are the proxies that may say whom a request comes from.
	TrustedProxies []Network `yaml:"trustedproxies"`
	// UI is the page for people, below ui/.
	UI struct {
		Enabled bool `yaml:"enabled"`
	} `yaml:"ui"`
	// Audit is the record of who did what; without a folder there is none.
	Audit struct {
		Folder string `yaml:"folder"`
		// Reads adds pulls to the record.
		Reads bool `yaml:"reads"`
	} `yaml:"audit"`
	// Mirror has the settings of a pull-through cache.
	Mirror struct {
		// MaxBytes is the number of bytes that the cache may hold; 0 means as many as the store has room for.
		MaxBytes int64 `yaml:"maxbytes"`
	} `yaml:"mirror"`
	// Notifications are the endpoints that are notified of pushes and deletions.
	Notifications []Notification `yaml:"notifications"`
}

// serverRule is the rule for that section.
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

// readServer reads that section from a file that has been checked.
func readServer(content []byte) (Server, error) {
	var file struct {
		Server Server `yaml:"server"`
	}
	err := yaml.Unmarshal(content, &file)
	return file.Server, err
}
