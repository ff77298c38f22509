// Package command is the command line of the server, a file for each command.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// ErrUsage is a wrong command line; its reason was printed already.
var ErrUsage = errors.New("wrong usage")

// ErrLogged is a failure of the server; its reason is in the log already.
var ErrLogged = errors.New("the server failed")

// Run runs a command line.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	root := &cobra.Command{
		Use:   "registry",
		Short: "A container registry's server, and what is done beside it",
		Long: `A container registry's server, and what is done beside it.

A CONFIG of - is read from standard input.

Exit status: 0 done, 1 failed, 2 wrong usage`,
		Args:              unknownCommand,
		RunE:              func(*cobra.Command, []string) error { return misuse("no command given") },
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return misuse("%w", err) })
	root.AddCommand(serve(), garbageCollect(), healthcheckCommand(), check(), checkCertificate(), transferCommand(), referrersTags(),
		sizeCommand(), prepare(), forwardCommand(), trustCommand(), auditCommand(), versionCommand(), mirrorsHelper())
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)

	command, err := root.ExecuteContextC(ctx)
	var wrong *misused
	if errors.As(err, &wrong) {
		fmt.Fprintf(stderr, "registry: %v\n\n%s", err, command.UsageString())
		return ErrUsage
	}
	return err
}

// misused is a wrong command line.
type misused struct{ error }

func misuse(format string, values ...any) error {
	return &misused{fmt.Errorf(format, values...)}
}

func unknownCommand(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return misuse("unknown command %q", args[0])
	}
	return nil
}
