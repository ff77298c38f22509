// Command registry is the bundled registry server.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/sirupsen/logrus"

	"container-registry/server/internal/config"
	"container-registry/server/internal/forward"
	"container-registry/server/internal/garbage"
	"container-registry/server/internal/healthcheck"
	"container-registry/server/internal/logging"
	"container-registry/server/internal/mirror"
	"container-registry/server/internal/ownership"
	"container-registry/server/internal/referrers"
	"container-registry/server/internal/server"
	"container-registry/server/internal/size"
	"container-registry/server/internal/store"
	"container-registry/server/internal/storecheck"
	"container-registry/server/internal/transfer"
	"container-registry/server/internal/trust"
	"container-registry/server/internal/version"
)

const usage = `usage:
  registry serve [--proxied ADDRESS] CONFIG
  registry garbage-collect [--dry-run|-d] [--delete-untagged|-m] [--quiet|-q] [CONFIG]
  registry healthcheck [--watch DURATION] CONFIG
  registry check [--timeout DURATION] CONFIG
  registry transfer [--workers N] [--dry-run] [--source-may-change] FROM_CONFIG TO_CONFIG
  registry referrers-tags [--dry-run] CONFIG
  registry size CONFIG
  registry prepare FOLDER
  registry forward [--connections N] [--proxied PORT --key FILE] ADDRESS TARGET
  registry forward --check
  registry trust [--check] OWNER CERTIFICATES FOLDER ADDRESS...
  registry version

  serve            answers requests until SIGTERM or SIGINT
    --proxied ADDRESS      where forwarders of the server's http.secret tell of their clients
  garbage-collect  has the running server delete what its retention rules do not keep, and blobs that
                   no manifest refers to, or does so itself when no server runs here; images can be
                   pushed and pulled meanwhile; in the server's container CONFIG may be left out
    -d, --dry-run          only say what would be deleted
    -m, --delete-untagged  delete manifests without a tag as well, unless another one needs them
    -q, --quiet            say nothing
  healthcheck      succeeds when the server of this container answers
    --watch DURATION       keep asking for that long, once the server is up
  check            tries whether a registry could work on the storage of CONFIG, by an object of its
                   own that it deletes again; a registry that is set read-only has it only read
    --timeout DURATION     how long the storage has to answer; 20s unless given
  transfer         copies all images from the storage of one configuration to that of another one, and
                   goes on where it stopped; nothing is deleted there, and no newer tag is replaced
    --workers N            how many files are copied at once; 8 unless given
    --dry-run              only say what would be copied
    --source-may-change    begin while the registry still takes pushes; run it again without this once
                           storage.maintenance.readonly.enabled is true, or the last pushes are missing
  referrers-tags   writes tags by which clients find signatures, attestations and other referrers in a
                   registry that does not list them itself, for the way to such a one
    --dry-run              only say how many
  size             counts repositories, blobs and bytes, also while the server runs
  prepare          gives FOLDER and all in it to the server's user; needs root
  forward          passes TCP connections to ADDRESS on to TARGET, a host:port that is looked up for
                   each of them, until SIGTERM or SIGINT; TLS goes through untouched
    --connections N        how many there may be at once; 4096 unless given
    --proxied PORT         where the targets are told of the client, unless they don't listen there
    --key FILE             how they know that it is true: http.secret's HMAC by SHA-256 of the words
                           "container-registry forwarder", in hexadecimal
    --check                succeeds when the forwarder of this container is alive
  trust            has a Docker engine whose certs.d is FOLDER trust the CERTIFICATES, a file, for
                   images of ADDRESS, by a file of its own named after OWNER; takes it away again
                   on SIGTERM or SIGINT
    --check                succeeds when the files are there
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
		proxied := proxiedAddress(flags)
		return withConfig(flags, args, stdin, stderr, func(c *config.Config, log *logrus.Entry) error {
			if mirror.Is(c.Configuration) {
				if len(args) > 1 {
					return misused(stderr, "--proxied is for a registry, and the configuration is a mirror's")
				}
				if err := mirror.Prepare(ctx, c.Configuration, args[0], log); err != nil {
					return err
				}
			}
			return serve(ctx, c, *proxied, log)
		})
	case mirror.Command:
		file, err := mirror.ConfigurationFile()
		if err != nil {
			return misused(stderr, err.Error())
		}
		c, err := config.Load(file)
		if err != nil {
			return err
		}
		return mirror.Answer(c.Configuration, stdout)
	case "garbage-collect":
		var request garbage.Request
		quiet := false
		for _, name := range []string{"dry-run", "d"} {
			flags.BoolVar(&request.DryRun, name, false, "")
		}
		for _, name := range []string{"delete-untagged", "m"} {
			flags.BoolVar(&request.DeleteUntagged, name, false, "")
		}
		for _, name := range []string{"quiet", "q"} {
			flags.BoolVar(&quiet, name, false, "")
		}
		return withConfig(flags, orOfContainer(flags, args), stdin, stderr, func(c *config.Config, log *logrus.Entry) error {
			if quiet {
				stdout = io.Discard
			}
			return garbage.Command(ctx, c.Configuration, request, stdout, log)
		})
	case "healthcheck":
		watch := flags.Duration("watch", 0, "")
		return withConfig(flags, args, stdin, stderr, func(c *config.Config, _ *logrus.Entry) error {
			if err := healthcheck.Watch(ctx, c.HTTP, *watch); err != nil {
				return fmt.Errorf("unhealthy: %w", err)
			}
			fmt.Fprintln(stdout, "healthy")
			return nil
		})
	case "check":
		limit := flags.Duration("timeout", 20*time.Second, "")
		return withConfig(flags, args, stdin, stderr, func(c *config.Config, _ *logrus.Entry) error {
			access := storecheck.AccessOf(c.Configuration)
			if _, err := storecheck.Check(ctx, c.Configuration, access, *limit); err != nil {
				return err
			}
			fmt.Fprintf(stdout, "%s %s\n", store.Of(c.Configuration), access)
			return nil
		})
	case "transfer":
		options := transfer.Options{Progress: stderr, Interval: 5 * time.Second}
		flags.IntVar(&options.Workers, "workers", 8, "")
		flags.BoolVar(&options.DryRun, "dry-run", false, "")
		flags.BoolVar(&options.SourceMayChange, "source-may-change", false, "")
		return withConfigs(flags, args, stdin, stderr, []string{"FROM_CONFIG", "TO_CONFIG"}, func(c []*config.Config, _ *logrus.Entry) error {
			report, err := transfer.Run(ctx, c[0].Configuration, c[1].Configuration, options)
			if report != nil {
				fmt.Fprint(stdout, report)
			}
			return err
		})
	case "referrers-tags":
		dryRun := flags.Bool("dry-run", false, "")
		return withConfig(flags, args, stdin, stderr, func(c *config.Config, _ *logrus.Entry) error {
			tags, err := referrers.WriteTags(ctx, c.Configuration, *dryRun)
			if err != nil {
				return err
			}
			for _, each := range tags.TooLarge {
				fmt.Fprintf(stderr, "not written, as no client takes more than 4 MiB: %s\n", each)
			}
			fmt.Fprint(stdout, tags)
			return nil
		})
	case "size":
		return withConfig(flags, args, stdin, stderr, func(c *config.Config, _ *logrus.Entry) error {
			used, err := size.Of(ctx, c.Configuration)
			if err == nil {
				fmt.Fprintln(stdout, used)
			}
			return err
		})
	case "prepare":
		folders, err := parse(flags, args)
		if err != nil || len(folders) != 1 {
			return misused(stderr, "prepare needs exactly one FOLDER")
		}
		return ownership.HandOver(ctx, folders[0])
	case "forward":
		return passOn(ctx, flags, args, stderr)
	case "trust":
		return haveTrusted(ctx, flags, args, stderr)
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

// proxiedAddress is the option of serve.
func proxiedAddress(flags *flag.FlagSet) *string { return flags.String("proxied", "", "") }

func serve(ctx context.Context, c *config.Config, proxied string, log *logrus.Entry) error {
	s, err := server.New(c.Configuration, c.Server, log)
	if err != nil {
		return err
	}
	if proxied != "" {
		if err := s.ListenProxied(proxied); err != nil {
			return fmt.Errorf("--proxied: %w", err)
		}
	}
	return s.Run(ctx)
}

func passOn(ctx context.Context, flags *flag.FlagSet, args []string, stderr io.Writer) error {
	options := forward.Options{Health: forward.HealthSocket}
	flags.IntVar(&options.Connections, "connections", 4096, "")
	flags.StringVar(&options.Proxied, "proxied", "", "")
	key := flags.String("key", "", "")
	check := flags.Bool("check", false, "")
	addresses, err := parse(flags, args)
	switch {
	case err != nil:
		return misused(stderr, err.Error())
	case *check && len(addresses) == 0:
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		return forward.Check(ctx, options.Health)
	case len(addresses) != 2 || options.Connections < 1:
		return misused(stderr, "forward needs one ADDRESS and one TARGET, and room for a connection or more")
	case (options.Proxied == "") != (*key == ""):
		return misused(stderr, "--proxied and --key go together")
	}
	if *key != "" {
		content, err := os.ReadFile(*key)
		if err != nil {
			return err
		}
		options.Key = bytes.TrimSpace(content)
	}
	if options.Log, err = logging.Configure(configuration.Log{Level: "info"}); err != nil {
		return err
	}
	forwarder, err := forward.New(addresses[0], addresses[1], options)
	if err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	return forwarder.Run(ctx)
}

func haveTrusted(ctx context.Context, flags *flag.FlagSet, args []string, stderr io.Writer) error {
	check := flags.Bool("check", false, "")
	words, err := parse(flags, args)
	if err != nil || len(words) < 4 {
		return misused(stderr, "trust needs one OWNER, one file of CERTIFICATES, one FOLDER and an ADDRESS or more")
	}
	place := trust.Place{Owner: words[0], Folder: words[2], Addresses: words[3:]}
	if err := place.Check(); err != nil {
		return misused(stderr, "trust: "+err.Error())
	}
	certificates, err := os.ReadFile(words[1])
	if err != nil {
		return err
	}
	if *check {
		return trust.Installed(place, certificates)
	}
	log, err := logging.Configure(configuration.Log{Level: "info"})
	if err != nil {
		return err
	}
	return trust.Keep(ctx, place, certificates, log)
}

// withConfig reads the command line and the file it names, for the commands that
// take one.
func withConfig(flags *flag.FlagSet, args []string, stdin io.Reader, stderr io.Writer, do func(*config.Config, *logrus.Entry) error) error {
	return withConfigs(flags, args, stdin, stderr, []string{"CONFIG"}, func(c []*config.Config, log *logrus.Entry) error {
		return do(c[0], log)
	})
}

// withConfigs does so for as many files as it is given names for. The first one says
// how to log.
func withConfigs(flags *flag.FlagSet, args []string, stdin io.Reader, stderr io.Writer, names []string, do func([]*config.Config, *logrus.Entry) error) error {
	files, err := parse(flags, args)
	if err != nil {
		return misused(stderr, err.Error())
	}
	if len(files) != len(names) {
		return misused(stderr, fmt.Sprintf("%s needs exactly one %s, %d given", flags.Name(), strings.Join(names, " and one "), len(files)))
	}
	var read []*config.Config
	for _, file := range files {
		c, err := load(file, stdin)
		if err != nil {
			return err
		}
		read = append(read, c)
	}
	log, err := logging.Configure(read[0].Log)
	if err != nil {
		return err
	}
	return do(read, log)
}

// orOfContainer adds the configuration that the server of this container was started with
// when none is given.
func orOfContainer(flags *flag.FlagSet, args []string) []string {
	if files, err := parse(flags, args); err != nil || len(files) > 0 {
		return args
	}
	line, err := os.ReadFile("/proc/1/cmdline")
	if err != nil {
		return args
	}
	words := strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
	if len(words) < 2 || words[1] != "serve" {
		return args
	}
	served := flag.NewFlagSet("serve", flag.ContinueOnError)
	proxiedAddress(served)
	// What a server runs by was parsed before.
	files, _ := parse(served, words[2:])
	return append(args, files...)
}

func load(file string, stdin io.Reader) (*config.Config, error) {
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
