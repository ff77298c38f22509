package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"container-registry/server/internal/config"
	"container-registry/server/internal/manifest"
	"container-registry/server/internal/referrers"
)

func referrersTags() *cobra.Command {
	var dryRun bool
	command := &cobra.Command{
		Use:   "referrers-tags CONFIG",
		Short: "Write tags by which clients find referrers without the referrers API",
		Long: `Writes tags by which clients find signatures, attestations and other referrers in a registry that does not list them
itself, for the way to such a one.`,
		Args: files("CONFIG"),
		RunE: withConfig(func(command *cobra.Command, c *config.Config) error {
			tags, err := referrers.WriteTags(command.Context(), c.Configuration, dryRun)
			if err != nil {
				return err
			}
			for _, each := range tags.TooLarge {
				fmt.Fprintf(command.ErrOrStderr(), "not written, as no client takes more than %d MiB: %s\n", manifest.MostBytes>>20, each)
			}
			fmt.Fprint(command.OutOrStdout(), tags)
			return nil
		}),
	}
	command.Flags().BoolVar(&dryRun, "dry-run", false, "only say how many")
	return command
}
