package command

import (
	"io"

	"github.com/spf13/cobra"

	"container-registry/server/internal/certificate"
)

func checkCertificate() *cobra.Command {
	return &cobra.Command{
		Use:   "check-certificate",
		Short: "Try whether a server could use the certificate and the key on standard input",
		Args:  unknownCommand,
		RunE: func(command *cobra.Command, _ []string) error {
			content, err := io.ReadAll(command.InOrStdin())
			if err != nil {
				return err
			}
			return certificate.Check(content)
		},
	}
}
