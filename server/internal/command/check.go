package command

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/config"
	"container-registry/server/internal/guard"
	"container-registry/server/internal/store"
	"container-registry/server/internal/storecheck"
)

func check() *cobra.Command {
	var limit time.Duration
	var fileOnly bool
	command := &cobra.Command{
		Use:   "check CONFIG",
		Short: "Try whether a registry could work on the storage of CONFIG",
		Long: `Tries whether a registry could work on the storage of CONFIG, by an object of its own that it deletes again.
A registry that is set read-only has it only read.`,
		Args: files("CONFIG"),
		RunE: withConfig(func(command *cobra.Command, c *config.Config) error {
			if err := guard.Fits(c.Configuration, bounds.Memory()); err != nil {
				return err
			}
			if fileOnly {
				return nil
			}
			access := storecheck.AccessOf(c.Configuration)
			if _, err := storecheck.Check(command.Context(), c.Configuration, access, limit); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "%s %s\n", store.Of(c.Configuration), access)
			return nil
		}),
	}
	command.Flags().DurationVar(&limit, "timeout", 20*time.Second, "how long the storage has to answer")
	command.Flags().BoolVar(&fileOnly, "file-only", false, "leave the storage alone: only try whether the server takes CONFIG")
	return command
}
