package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"doorsync/cloud/api/client"
	"doorsync/configs"
)

// The exit codes; --help lists them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitWaits       = 4
)

// usageError is wrong usage, or a configuration with faults.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func execute(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return exitDone // interrupted by the person who follows
	}
	_, _ = fmt.Fprintf(root.ErrOrStderr(), "doorsync-central: %v\n", err)
	return codeOf(err)
}

func codeOf(err error) int {
	var usage usageError
	var faults *configs.Faults
	switch {
	case errors.Is(err, errWaits):
		return exitWaits
	case errors.Is(err, client.ErrUnreachable):
		return exitUnreachable
	case errors.As(err, &usage), errors.As(err, &faults):
		return exitUsage
	default:
		return exitFailed
	}
}

// args wraps cobra's check of arguments so that it counts as wrong usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, a []string) error {
		if err := check(cmd, a); err != nil {
			return usagef("%w; see %s --help", err, cmd.CommandPath())
		}
		return nil
	}
}
