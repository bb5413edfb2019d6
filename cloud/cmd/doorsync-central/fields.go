package main

import (
	"strings"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
)

func (a *app) fields() *cobra.Command {
	return group("fields", "Custom values: what users may have beside what all have",
		`Custom values are the installation's own: a license plate, a floor, a company.
They are set like other values, as custom:NAME, and a source's columns and keys
may name them.`, a.fieldsList(), a.fieldsPut(), a.fieldsDrop())
}

func (a *app) fieldsList() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "list", Short: "List the custom values",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			all, err := c.Fields(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return printAll(jsonLines[api.Field](cmd), all)
			}
			if len(all) == 0 {
				return nil
			}
			t := newTable(cmd, "NAME", "TYPE", "TITLE", "CHOICES")
			for _, f := range all {
				t.row(f.Name, f.Type, f.Title, strings.Join(f.Choices, ", "))
			}
			return t.flush()
		},
	})
}

func (a *app) fieldsPut() *cobra.Command {
	var d api.FieldDefinition
	cmd := a.jsonFlag(&cobra.Command{
		Use: "put <name>", Short: "Define a custom value, or change its definition",
		Example: `  doorsync-central fields put plate --title "License plate"
  doorsync-central fields put floor --type choice --choice ground --choice first`,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeFields,
		RunE: func(cmd *cobra.Command, names []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			f, err := c.PutField(cmd.Context(), names[0], d)
			if err != nil || !a.json {
				return err
			}
			return printJSON(cmd, f)
		},
	})
	cmd.Flags().StringVar(&d.Type, "type", "text", "text, number or choice")
	cmd.Flags().StringArrayVar(&d.Choices, "choice", nil, "one of the values of a choice; write it again for each")
	cmd.Flags().StringVar(&d.Title, "title", "", "what people are shown instead of the name")
	return cmd
}

func (a *app) fieldsDrop() *cobra.Command {
	return &cobra.Command{
		Use: "drop <name>", Short: "Forget the definition of a custom value",
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeFields,
		RunE: func(cmd *cobra.Command, names []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			return c.DropField(cmd.Context(), names[0])
		},
	}
}

// completeFields offers the names of custom values.
func (a *app) completeFields(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := a.connect()
	if err != nil || len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	all, _ := c.Fields(cmd.Context()) // none to offer, then
	var out []string
	for _, f := range all {
		out = append(out, f.Name)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
