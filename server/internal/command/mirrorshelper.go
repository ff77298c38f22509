package command

import (
	"github.com/spf13/cobra"

	"container-registry/server/internal/config"
	"container-registry/server/internal/mirror"
)

// mirrorsHelper is for the engine of a mirror, and not for people.
func mirrorsHelper() *cobra.Command {
	return &cobra.Command{
		Use:    mirror.Command,
		Hidden: true,
		RunE: func(command *cobra.Command, _ []string) error {
			file, err := mirror.ConfigurationFile()
			if err != nil {
				return misuse("%w", err)
			}
			c, err := config.Load(file)
			if err != nil {
				return err
			}
			return mirror.Answer(c.Configuration, command.OutOrStdout())
		},
	}
}
