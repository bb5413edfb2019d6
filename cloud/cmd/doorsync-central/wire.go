package main

import (
	"github.com/spf13/cobra"
)

func (a *app) wire() *cobra.Command {
	var site string
	cmd := &cobra.Command{
		Use: "wire", Short: "Print the traffic between the center and the sites, as it comes",
		Long: "Prints every message between the center and the sites as one line of JSON, with\nsecrets masked, until interrupted.",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			return c.Wire(cmd.Context(), site, func(line []byte) error {
				return say(cmd.OutOrStdout(), "%s", line)
			})
		},
	}
	cmd.Flags().StringVar(&site, "site", "", "only this site")
	return cmd
}
