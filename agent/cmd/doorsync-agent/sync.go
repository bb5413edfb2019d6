package main

import (
	"errors"

	"github.com/spf13/cobra"

	"doorsync/agent/console"
	"doorsync/protocol/wire"
)

func (a *app) sync() *cobra.Command {
	var req console.SyncRequest
	c := a.jsonFlag(&cobra.Command{
		Use: "sync [reader]", Short: "Put a reader in line now, or all of them",
		Long: `Has the whole table of a reader compared with what it should hold, and put
right, now and in every sync mode, and waits for it. Exit code 1 if a reader is
not in line afterwards.

Deletes above the cap (a fifth of the reader's users, and more than ten) are
done with --confirm-deletes only. Users who were deleted at a reader whose
configuration says to leave it so are given back with --restore.`,
		Args:              args(cobra.MaximumNArgs(1)),
		ValidArgsFunction: a.completeReaders,
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 1 {
				req.Reader = given[0]
			}
			return a.syncNow(cmd, req)
		},
	})
	c.Flags().BoolVar(&req.ConfirmDeletes, "confirm-deletes", false, "do the deletes that are held")
	c.Flags().BoolVar(&req.Restore, "restore", false, "give back users who were deleted at the reader")
	return c
}

func (a *app) syncNow(cmd *cobra.Command, req console.SyncRequest) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	results, err := c.Sync(cmd.Context(), req)
	if err != nil {
		return err
	}
	if a.json {
		err = printJSON(cmd, results)
	} else {
		err = printResults(cmd, results)
	}
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.Failed != "" || r.State != wire.ReaderInSync {
			return errNotInLine
		}
	}
	return nil
}

var errNotInLine = errors.New("not every reader is in line")

func printResults(cmd *cobra.Command, results []console.SyncResult) error {
	states := make([]wire.ReaderState, len(results))
	for i, r := range results {
		states[i] = r.ReaderState
		if r.Failed == "" {
			continue
		}
		if states[i].Error == "" {
			states[i].Error = r.Failed
		}
		if states[i].State == wire.ReaderInSync {
			states[i].State = "not compared" // what it was before says nothing of now
		}
	}
	return printReaders(cmd, states)
}
