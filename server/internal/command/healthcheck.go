package command

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"container-registry/server/internal/config"
	"container-registry/server/internal/healthcheck"
)

func healthcheckCommand() *cobra.Command {
	var watch time.Duration
	command := &cobra.Command{
		Use:   "healthcheck CONFIG",
		Short: "Succeed when the server of this container answers",
		Args:  files("CONFIG"),
		RunE: withConfig(func(command *cobra.Command, c *config.Config) error {
			if err := healthcheck.Watch(command.Context(), c.HTTP, watch); err != nil {
				return fmt.Errorf("unhealthy: %w", err)
			}
			fmt.Fprintln(command.OutOrStdout(), "healthy")
			return nil
		}),
	}
	command.Flags().DurationVar(&watch, "watch", 0, "keep asking for that long, once the server is up")
	return command
}
