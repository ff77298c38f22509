package command

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"container-registry/server/internal/forward"
)

func forwardCommand() *cobra.Command {
	options := forward.Options{Health: forward.HealthSocket}
	var key string
	var check bool
	command := &cobra.Command{
		Use:   "forward ADDRESS TARGET",
		Short: "Pass TCP connections on, until SIGTERM or SIGINT",
		Long: `Passes TCP connections to ADDRESS on to TARGET, a host:port that is looked up for each of them, until SIGTERM or SIGINT.
TLS goes through untouched.`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case check && len(args) == 0:
				ctx, cancel := context.WithTimeout(command.Context(), 5*time.Second)
				defer cancel()
				return forward.Check(ctx, options.Health)
			case len(args) != 2 || options.Connections < 1:
				return misuse("forward needs one ADDRESS and one TARGET, and room for a connection or more")
			case (options.Proxied == "") != (key == ""):
				return misuse("--proxied and --key go together")
			}
			return passOn(command.Context(), args[0], args[1], key, options)
		},
	}
	command.Flags().IntVar(&options.Connections, "connections", 4096, "how many there may be at once")
	command.Flags().StringVar(&options.Proxied, "proxied", "", "`PORT` where the targets are told of the client, unless they don't listen there")
	command.Flags().StringVar(&key, "key", "", "`FILE` by which they know that it is true: http.secret's HMAC by SHA-256 of the words \"container-registry forwarder\", in hexadecimal")
	command.Flags().BoolVar(&check, "check", false, "succeed when the forwarder of this container is alive")
	return command
}

func passOn(ctx context.Context, address, target, key string, options forward.Options) error {
	if key != "" {
		content, err := os.ReadFile(key)
		if err != nil {
			return err
		}
		options.Key = bytes.TrimSpace(content)
	}
	log, err := ownLog()
	if err != nil {
		return err
	}
	options.Log = log
	forwarder, err := forward.New(address, target, options)
	if err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	return forwarder.Run(ctx)
}
