package command

import (
	"errors"

	"github.com/spf13/cobra"

	"container-registry/server/internal/audit"
)

func auditCommand() *cobra.Command {
	var follow bool
	command := &cobra.Command{
		Use:   "audit [CONFIG]",
		Short: "Print who did what in the registry, a line of JSON for each",
		Long: `Prints who did what in the registry, the oldest first, a line of JSON for each. It is kept where CONFIG says by
server.audit.folder. In the server's container CONFIG may be left out.`,
		RunE: func(command *cobra.Command, args []string) error {
			if own := fileOfContainer(); len(args) == 0 && own != "" {
				args = []string{own}
			}
			if err := files("CONFIG")(command, args); err != nil {
				return err
			}
			c, _, err := load(command, args[0])
			if err != nil {
				return err
			}
			if c.Server.Audit.Folder == "" {
				return errors.New("this server keeps no audit; CONFIG has no server.audit.folder")
			}
			return audit.Show(command.Context(), c.Server.Audit.Folder, command.OutOrStdout(), follow)
		},
	}
	command.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is added, until SIGTERM or SIGINT")
	return command
}
