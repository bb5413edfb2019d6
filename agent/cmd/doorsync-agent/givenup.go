package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"doorsync/agent/console"
	"doorsync/agent/journal"
)

func (a *app) givenUp() *cobra.Command {
	var reader string
	c := a.jsonFlag(&cobra.Command{
		Use: "given-up", Short: "Show the writes that were tried too often, and why they failed",
		Long: `Shows the writes to readers that were given up: what could not be written, why,
and how often it was tried. New content for a user is tried anew by itself;
"given-up retry" tries the same again.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list []journal.GivenUp
			err := a.ask(cmd.Context(), func(s site) (err error) {
				list, err = s.GivenUp(cmd.Context(), reader)
				return err
			})
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, append([]journal.GivenUp{}, list...))
			}
			return printGivenUp(cmd, list)
		},
	})
	c.Flags().StringVar(&reader, "reader", "", "only at this reader")
	_ = c.RegisterFlagCompletionFunc("reader", a.completeReaders)
	c.AddCommand(a.retry())
	return c
}

func printGivenUp(cmd *cobra.Command, list []journal.GivenUp) error {
	if len(list) == 0 {
		return say(cmd.OutOrStdout(), "nothing was given up")
	}
	t := newTable(cmd, "SINCE", "READER", "USER", "TRIES", "REASON")
	for _, g := range list {
		t.row(when(g.At), g.Reader, g.UserID, fmt.Sprint(g.Tries), g.Reason)
	}
	return t.flush()
}

func (a *app) retry() *cobra.Command {
	var req console.RetryRequest
	c := a.jsonFlag(&cobra.Command{
		Use: "retry [reader]", Short: "Try again what was given up",
		Args:              args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: a.completeReaders,
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 1 {
				req.Reader = given[0]
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			n, err := c.Retry(cmd.Context(), req)
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, console.RetryResult{Retried: n})
			}
			what := fmt.Sprintf("%d writes are", n)
			if n == 1 {
				what = "one write is"
			}
			return say(cmd.OutOrStdout(), "%s tried again; \"doorsync-agent readers\" shows how they fare", what)
		},
	})
	c.Flags().StringVar(&req.User, "user", "", "only of this user ID")
	return c
}
