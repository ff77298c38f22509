package command

import (
	"github.com/spf13/cobra"

	"container-registry/server/internal/ownership"
)

func prepare() *cobra.Command {
	return &cobra.Command{
		Use:   "prepare FOLDER",
		Short: "Give FOLDER and all in it to the server's user; needs root",
		Args:  files("FOLDER"),
		RunE: func(command *cobra.Command, args []string) error {
			return ownership.HandOver(command.Context(), args[0])
		},
	}
}
