package command

import (
	"os"

	"github.com/spf13/cobra"

	"container-registry/server/internal/trust"
)

func trustCommand() *cobra.Command {
	var check bool
	command := &cobra.Command{
		Use:   "trust OWNER CERTIFICATES FOLDER ADDRESS...",
		Short: "Have a Docker engine trust certificates, until SIGTERM or SIGINT",
		Long: `Has a Docker engine whose certs.d is FOLDER trust the CERTIFICATES, a file, for images of ADDRESS, by a file of its own
named after OWNER. Takes it away again on SIGTERM or SIGINT.`,
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) < 4 {
				return misuse("trust needs one OWNER, one file of CERTIFICATES, one FOLDER and an ADDRESS or more")
			}
			place := trust.Place{Owner: args[0], Folder: args[2], Addresses: args[3:]}
			if err := place.Check(); err != nil {
				return misuse("trust: %w", err)
			}
			certificates, err := os.ReadFile(args[1])
			if err != nil {
				return err
			}
			if check {
				return trust.Installed(place, certificates)
			}
			log, err := ownLog()
			if err != nil {
				return err
			}
			return trust.Keep(command.Context(), place, certificates, log)
		},
	}
	command.Flags().BoolVar(&check, "check", false, "succeed when the files are there")
	return command
}
