package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"container-registry/server/internal/config"
	"container-registry/server/internal/size"
)

func sizeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "size CONFIG",
		Short: "Count repositories, blobs and bytes, also while the server runs",
		Args:  files("CONFIG"),
		RunE: withConfig(func(command *cobra.Command, c *config.Config) error {
			used, err := size.Of(command.Context(), c.Configuration)
			if err != nil {
				return err
			}
			fmt.Fprintln(command.OutOrStdout(), used)
			return nil
		}),
	}
}
