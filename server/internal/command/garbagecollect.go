package command

import (
	"io"

	"github.com/spf13/cobra"

	"container-registry/server/internal/garbage"
	"container-registry/server/internal/garbage/control"
)

func garbageCollect() *cobra.Command {
	var request garbage.Request
	var quiet bool
	command := &cobra.Command{
		Use:   "garbage-collect [CONFIG]",
		Short: "Delete what retention rules do not keep, and blobs that no manifest refers to",
		Long: `Has the running server delete what its retention rules do not keep, and blobs that no manifest refers to, or does so
itself when no server runs here. Images can be pushed and pulled meanwhile. In the server's container CONFIG may be left out.`,
		RunE: func(command *cobra.Command, args []string) error {
			if own := fileOfContainer(); len(args) == 0 && own != "" {
				args = []string{own}
			}
			if err := files("CONFIG")(command, args); err != nil {
				return err
			}
			c, log, err := load(command, args[0])
			if err != nil {
				return err
			}
			out := command.OutOrStdout()
			if quiet {
				out = io.Discard
			}
			return control.Command(command.Context(), c.Configuration, request, out, log)
		},
	}
	command.Flags().BoolVarP(&request.DryRun, "dry-run", "d", false, "only say what would be deleted")
	command.Flags().BoolVarP(&request.DeleteUntagged, "delete-untagged", "m", false, "delete manifests without a tag as well, unless another one needs them")
	command.Flags().BoolVarP(&quiet, "quiet", "q", false, "say nothing")
	return command
}
