package command

import (
	"fmt"

	"github.com/spf13/cobra"

	"container-registry/server/internal/mirror"
	"container-registry/server/internal/server"
)

func serve() *cobra.Command {
	var proxied string
	command := &cobra.Command{
		Use:   "serve CONFIG",
		Short: "Answer requests until SIGTERM or SIGINT",
		Args:  files("CONFIG"),
		RunE: func(command *cobra.Command, args []string) error {
			c, log, err := load(command, args[0])
			if err != nil {
				return err
			}
			if mirror.Is(c.Configuration) {
				if proxied != "" {
					return misuse("--proxied is for a registry, and the configuration is a mirror's")
				}
				if err := mirror.Prepare(command.Context(), c.Configuration, args[0], log); err != nil {
					return err
				}
			}
			s, err := server.New(c.Configuration, c.Server, log)
			if err != nil {
				return err
			}
			if proxied != "" {
				if err := s.ListenProxied(proxied); err != nil {
					return fmt.Errorf("--proxied: %w", err)
				}
			}
			return s.Run(command.Context())
		},
	}
	command.Flags().StringVar(&proxied, "proxied", "", "`ADDRESS` where forwarders of the server's http.secret tell of their clients")
	return command
}
