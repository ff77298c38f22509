package command

import (
	"os"
	"strings"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"container-registry/server/internal/config"
	"container-registry/server/internal/logging"
)

// files accepts as many files as it is given names for.
func files(names ...string) cobra.PositionalArgs {
	return func(command *cobra.Command, args []string) error {
		if len(args) != len(names) {
			return misuse("%s needs exactly one %s, %d given", command.Name(), strings.Join(names, " and one "), len(args))
		}
		return nil
	}
}

// load reads a configuration, and sets up the log as it says.
func load(command *cobra.Command, file string) (*config.Config, *logrus.Entry, error) {
	c, err := read(command, file)
	if err != nil {
		return nil, nil, err
	}
	log, err := logging.Configure(c.Log)
	return c, log, err
}

// withConfig makes the function of a command that takes one configuration.
func withConfig(do func(*cobra.Command, *config.Config) error) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) error {
		c, _, err := load(command, args[0])
		if err != nil {
			return err
		}
		return do(command, c)
	}
}

func read(command *cobra.Command, file string) (*config.Config, error) {
	if file == "-" {
		return config.Read(command.InOrStdin(), "standard input")
	}
	return config.Load(file)
}

// ownLog is the log of commands without a configuration.
func ownLog() (*logrus.Entry, error) {
	return logging.Configure(configuration.Log{Level: "info"})
}

// fileOfContainer is the configuration that the server of this container was started with, empty if none runs.
func fileOfContainer() string {
	line, err := os.ReadFile("/proc/1/cmdline")
	if err != nil {
		return ""
	}
	words := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
	if len(words) < 2 || words[1] != "serve" {
		return ""
	}
	server := serve()
	// A running server has parsed these before.
	_ = server.ParseFlags(words[2:])
	if given := server.Flags().Args(); len(given) == 1 {
		return given[0]
	}
	return ""
}
