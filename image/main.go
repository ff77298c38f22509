// Command registry is the bundled registry server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/storage"

	"container-registry/image/internal/config"
	"container-registry/image/internal/garbage"
	"container-registry/image/internal/healthcheck"
	"container-registry/image/internal/logging"
	"container-registry/image/internal/ownership"
	"container-registry/image/internal/server"
	"container-registry/image/internal/store"
	"container-registry/image/internal/storecheck"
	"container-registry/image/internal/version"
)

const usage = `usage:
  registry serve CONFIG
  registry garbage-collect [--dry-run|-d] [--delete-untagged|-m] [--quiet|-q] CONFIG
  registry healthcheck [--watch DURATION] CONFIG
  registry check [--timeout DURATION] CONFIG
  registry prepare FOLDER
  registry version

  serve            answers requests until SIGTERM or SIGINT
  garbage-collect  removes blobs that no manifest refers to; nothing may be pushed meanwhile
    -d, --dry-run          only say what would be removed
    -m, --delete-untagged  remove manifests that no tag refers to as well
    -q, --quiet            say nothing
  healthcheck      succeeds when the server of this container answers
    --watch DURATION       keep asking for that long, once the server is up
  check            tries whether a registry could work on the storage of CONFIG, by an object of its
                   own that it deletes again; a registry that is set read-only has it only read
    --timeout DURATION     how long the storage has to answer; 20s unless given
  prepare          gives FOLDER and all in it to the server's user; needs root
  version          prints the versions of this server, its engine and Go

A CONFIG of - is read from standard input.

exit status: 0 done, 1 failed, 2 wrong usage
`

// errUsage is a wrong command line; its reason was printed already.
var errUsage = errors.New("wrong usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)

	switch err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr); {
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		fmt.Fprintf(os.Stderr, "registry: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return misused(stderr, "no command given")
	}
	command, args := args[0], args[1:]
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	switch command {
	case "serve":
		return withConfig(flags, args, stdin, stderr, func(c *configuration.Configuration) error {
			return serve(ctx, c)
		})
	case "garbage-collect":
		var options storage.GCOpts
		for _, name := range []string{"dry-run", "d"} {
			flags.BoolVar(&options.DryRun, name, false, "")
		}
		for _, name := range []string{"delete-untagged", "m"} {
			flags.BoolVar(&options.RemoveUntagged, name, false, "")
		}
		for _, name := range []string{"quiet", "q"} {
			flags.BoolVar(&options.Quiet, name, false, "")
		}
		return withConfig(flags, args, stdin, stderr, func(c *configuration.Configuration) error {
			return garbage.Collect(ctx, c, options)
		})
	case "healthcheck":
		watch := flags.Duration("watch", 0, "")
		return withConfig(flags, args, stdin, stderr, func(c *configuration.Configuration) error {
			if err := healthcheck.Watch(ctx, c.HTTP, *watch); err != nil {
				return fmt.Errorf("unhealthy: %w", err)
			}
			fmt.Fprintln(stdout, "healthy")
			return nil
		})
	case "check":
		limit := flags.Duration("timeout", 20*time.Second, "")
		return withConfig(flags, args, stdin, stderr, func(c *configuration.Configuration) error {
			access := storecheck.AccessOf(c)
			if _, err := storecheck.Check(ctx, c, access, *limit); err != nil {
				return err
			}
			fmt.Fprintf(stdout, "%s %s\n", store.Of(c), access)
			return nil
		})
	case "prepare":
		folders, err := parse(flags, args)
		if err != nil || len(folders) != 1 {
			return misused(stderr, "prepare needs exactly one FOLDER")
		}
		return ownership.HandOver(ctx, folders[0])
	case "version":
		fmt.Fprint(stdout, version.Report())
		return nil
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return nil
	default:
		return misused(stderr, fmt.Sprintf("unknown command %q", command))
	}
}

func serve(ctx context.Context, c *configuration.Configuration) error {
	s, err := server.New(c)
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// withConfig reads the command line and the file it names, for the commands that
// take one.
func withConfig(flags *flag.FlagSet, args []string, stdin io.Reader, stderr io.Writer, do func(*configuration.Configuration) error) error {
	files, err := parse(flags, args)
	if err != nil {
		return misused(stderr, err.Error())
	}
	if len(files) != 1 {
		return misused(stderr, fmt.Sprintf("%s needs exactly one CONFIG, %d given", flags.Name(), len(files)))
	}
	c, err := load(files[0], stdin)
	if err != nil {
		return err
	}
	if err := logging.Configure(c.Log); err != nil {
		return err
	}
	return do(c)
}

func load(file string, stdin io.Reader) (*configuration.Configuration, error) {
	if file == "-" {
		return config.Read(stdin, "standard input")
	}
	return config.Load(file)
}

// parse accepts options before and after the file, as the engine's command does.
func parse(flags *flag.FlagSet, args []string) (files []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if flags.NArg() == 0 {
			return files, nil
		}
		files = append(files, flags.Arg(0))
		args = flags.Args()[1:]
	}
}

func misused(stderr io.Writer, reason string) error {
	fmt.Fprintf(stderr, "registry: %s\n\n%s", reason, usage)
	return errUsage
}
