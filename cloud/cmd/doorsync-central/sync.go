package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) sync() *cobra.Command {
	return &cobra.Command{
		Use: "sync <site> [reader]", Short: "Have a site compare and correct its readers now",
		Long: `Asks the site's agent to compare all its readers, or one, with what they should
hold, and to correct them. The command ends when the agent has heard it;
"readers" shows how it goes. A site that is offline cannot be asked: it syncs by
itself when it is back, in every mode but off.`,
		Args: args(cobra.RangeArgs(1, 2)), ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, names []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			return c.Sync(cmd.Context(), names[0], strings.Join(names[1:], ""))
		},
	}
}
