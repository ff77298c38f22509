package command

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"container-registry/server/internal/transfer"
)

func transferCommand() *cobra.Command {
	options := transfer.Options{Interval: 5 * time.Second}
	command := &cobra.Command{
		Use:   "transfer FROM_CONFIG TO_CONFIG",
		Short: "Copy all images from one storage to another",
		Long: `Copies all images from the storage of one configuration to that of another one, and goes on where it stopped.
Nothing is deleted there, and no newer tag is replaced.`,
		Args: files("FROM_CONFIG", "TO_CONFIG"),
		RunE: func(command *cobra.Command, args []string) error {
			from, _, err := load(command, args[0])
			if err != nil {
				return err
			}
			to, err := read(command, args[1])
			if err != nil {
				return err
			}
			options.Progress = command.ErrOrStderr()
			report, err := transfer.Run(command.Context(), from.Configuration, to.Configuration, options)
			if report != nil {
				fmt.Fprint(command.OutOrStdout(), report)
			}
			return err
		},
	}
	command.Flags().IntVar(&options.Workers, "workers", 8, "how many files are copied at once")
	command.Flags().BoolVar(&options.DryRun, "dry-run", false, "only say what would be copied")
	command.Flags().BoolVar(&options.SourceMayChange, "source-may-change", false,
		"begin while the registry still takes pushes; run it again without this once storage.maintenance.readonly.enabled is true, or the last pushes are missing")
	return command
}
