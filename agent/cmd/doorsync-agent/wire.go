package main

import (
	"bytes"
	"encoding/json"

	"github.com/spf13/cobra"
)

func (a *app) wire() *cobra.Command {
	return &cobra.Command{
		Use: "wire", Short: "Print the traffic with the center as JSON lines, secrets masked, until interrupted",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.client()
			if err != nil {
				return err
			}
			return c.Wire(cmd.Context(), func(m json.RawMessage) error {
				line := bytes.NewBuffer(nil)
				if err := json.Compact(line, m); err != nil {
					return err
				}
				return say(cmd.OutOrStdout(), "%s", line)
			})
		},
	}
}
