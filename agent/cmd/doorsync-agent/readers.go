package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"doorsync/protocol/wire"
)

func (a *app) readers() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "readers", Short: "Show every reader: in sync, or how it differs",
		Long: `Shows every reader of the site: whether it holds what it should, and otherwise
how many users must be added, updated or deleted there, how many deletes wait
for somebody to confirm them, how many writes were given up, and how many users
nobody knows and are left alone.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			states, err := c.Readers(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, states)
			}
			return printReaders(cmd, states)
		},
	})
}

func printReaders(cmd *cobra.Command, states []wire.ReaderState) error {
	t := newTable(cmd, "READER", "DRIVER", "ADDRESS", "READER ID", "USERS", "ADD", "UPDATE", "DELETE", "HELD", "GIVEN UP", "UNKNOWN", "SYNCED", "STATE")
	for _, s := range states {
		state, color := stateText(s)
		t.colored(color, s.Name, s.Driver, s.Address, s.ReaderID, fmt.Sprint(s.Users), count(s.Add), count(s.Update), count(s.Delete),
			count(s.Held), count(s.GivenUp), count(s.Unknown), millis(s.Synced), state)
	}
	return t.flush()
}

// stateText is a reader's state in words, and its color.
func stateText(s wire.ReaderState) (text, color string) {
	switch s.State {
	case wire.ReaderInSync:
		text, color = "in sync", green
	case wire.ReaderSyncing:
		text, color = "syncing", yellow
	case wire.ReaderDiffers:
		text, color = "differs", yellow
	case wire.ReaderOffline:
		text, color = "offline since "+millis(s.Since), red
	default:
		text = s.State
	}
	if s.Error != "" {
		text += ": " + oneLine(s.Error)
	}
	return text, color
}
