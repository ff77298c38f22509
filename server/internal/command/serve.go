package command

import (
	"context"
	"fmt"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"container-registry/server/internal/bounds"
	"container-registry/server/internal/config"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/output"
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
			if mirror.Is(c.Configuration) && proxied != "" {
				return misuse("--proxied is for a registry, and the configuration is a mirror's")
			}
			output.Use(log)
			defer output.Flush()
			err = run(command.Context(), c, args[0], proxied, log)
			switch {
			case err == nil:
				return nil
			case c.Log.Formatter == "json":
				// A program that collects the log cannot read lines in another format.
				log.Log(logrus.FatalLevel, err)
			default:
				fmt.Fprintf(output.Stderr, "registry: %v\n", err)
			}
			return ErrLogged
		},
	}
	command.Flags().StringVar(&proxied, "proxied", "", "`ADDRESS` where forwarders of the server's http.secret tell of their clients")
	return command
}

// run serves with the configuration of a file.
func run(ctx context.Context, c *config.Config, file, proxied string, log *logrus.Entry) error {
	var upstream *mirror.Upstream
	if mirror.Is(c.Configuration) {
		var err error
		if upstream, err = mirror.Prepare(ctx, c.Configuration, file, log); err != nil {
			return err
		}
	}
	s, err := server.New(c.Configuration, c.Server, upstream, log)
	if err != nil {
		return err
	}
	if proxied != "" {
		if err := s.ListenProxied(proxied); err != nil {
			return fmt.Errorf("--proxied: %w", err)
		}
	}
	bounds.LeaveRoom()
	return s.Run(ctx)
}
