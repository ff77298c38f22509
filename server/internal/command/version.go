package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"container-registry/server/internal/version"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of this server, its engine and Go",
		Run: func(command *cobra.Command, _ []string) {
			fmt.Fprint(command.OutOrStdout(), version.Report())
		},
	}
}
