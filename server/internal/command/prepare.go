package command

import (
	"github.com/spf13/cobra"

	"container-registry/server/internal/ownership"
)

func prepare() *cobra.Command {
	var dryRun bool
	command := &cobra.Command{
		Use:   "prepare FOLDER",
		Short: "Give FOLDER and all in it to the server's user; needs root",
		Args:  files("FOLDER"),
		RunE: func(command *cobra.Command, args []string) error {
			if dryRun {
				return ownership.Check(command.Context(), args[0])
			}
			return ownership.HandOver(command.Context(), args[0])
		},
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only say whether that can be done")
	return command
}
