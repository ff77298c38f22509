package mirror

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/distribution/distribution/v3/configuration"
)

// Command is the word by which the engine asks a credential helper
// (https://github.com/docker/docker-credential-helpers) for a login.
const Command = "get"

// fileVariable tells the helper where the configuration is. It holds no secret.
const fileVariable = "MIRROR_CONFIGURATION"

// useHelper makes this program the credential helper of its own engine. Without a helper, the engine asks the
// upstream how to log in while it starts, even if there is no user, and does not start if there is no response.
// With a helper, it asks later.
func useHelper(c *configuration.Configuration, file string) error {
	if c.Proxy.Exec != nil {
		return nil
	}
	if file == "-" {
		return errors.New("proxy: the configuration of a mirror is read again later, so it cannot come from standard input")
	}
	c.Proxy.Exec = &configuration.ExecConfig{Command: "/proc/self/exe"}
	return os.Setenv(fileVariable, file)
}

// ConfigurationFile is the path that useHelper passed to the helper.
func ConfigurationFile() (string, error) {
	file := os.Getenv(fileVariable)
	if file == "" {
		return "", errors.New("this is for the engine of a mirror, and for nobody else")
	}
	return file, nil
}

// Answer writes the response of a credential helper. Without a user, the upstream is asked anonymously.
func Answer(c *configuration.Configuration, to io.Writer) error {
	return json.NewEncoder(to).Encode(struct {
		ServerURL, Username, Secret string
	}{c.Proxy.RemoteURL, c.Proxy.Username, c.Proxy.Password})
}
