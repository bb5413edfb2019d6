package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
)

func (a *app) sources() *cobra.Command {
	return group("sources", "Where data about users comes from, and whose word counts",
		`Every value of a user is held by the source highest in the order that has one.
Built in are "office" (typed at the center) and "readers" (enrolled or edited at
a reader, at any site).`, a.sourcesList(), a.sourcesOrder())
}

func (a *app) sourcesList() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "list", Short: "Show the order of sources",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			s, err := c.Sources(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, s)
			}
			return showSources(cmd, s)
		},
	})
}

func showSources(cmd *cobra.Command, s api.Sources) error {
	t := newTable(cmd, "FOR", "ORDER, HIGHEST FIRST", "OF SEVERAL EDITS AT READERS")
	t.row("all values", strings.Join(s.Order, ", "), "the "+s.Settle+" stands")
	named := map[string]bool{}
	for f := range s.Overrides {
		named[f] = true
	}
	for f := range s.SettleBy {
		named[f] = true
	}
	for _, f := range slices.SortedFunc(maps.Keys(named), byField) {
		settle := ""
		if by, ok := s.SettleBy[f]; ok {
			settle = "the " + by + " stands"
		}
		t.row(f, strings.Join(s.Overrides[f], ", "), settle)
	}
	return t.flush()
}

// orderFlags is what the flags of order were set to.
type orderFlags struct {
	fields, settleBy []string
	settle           string
	withdraw         bool
}

func (a *app) sourcesOrder() *cobra.Command {
	var o orderFlags
	cmd := a.jsonFlag(&cobra.Command{
		Use: "order [source]...", Short: "Set the order of sources, highest first",
		Long: `Sets the order of sources, for all values or, with --for, for named ones. Every
user is computed anew, and those that change in effect go out to the readers.`,
		Example: `  doorsync-central sources order office readers
  doorsync-central sources order --for pin=readers,office --settle latest`,
	})
	f := cmd.Flags()
	f.StringArrayVar(&o.fields, "for", nil, "field=source,source: another order for one field; field= takes it back")
	f.StringVar(&o.settle, "settle", "", "of several edits at readers the first stands, or the latest")
	f.StringArrayVar(&o.settleBy, "settle-for", nil, "field=first or field=latest; field= takes it back")
	f.BoolVar(&o.withdraw, "withdraw", false, "removing a credential at a reader takes back what readers gave")
	cmd.RunE = func(cmd *cobra.Command, order []string) error { return a.order(cmd, o, order) }
	return cmd
}

func (a *app) order(cmd *cobra.Command, o orderFlags, order []string) error {
	c, err := a.connect()
	if err != nil {
		return err
	}
	s, err := c.Sources(cmd.Context())
	if err != nil {
		return err
	}
	if err := o.apply(cmd, &s, order); err != nil {
		return err
	}
	s, err = c.SetSources(cmd.Context(), s)
	if err != nil || !a.json {
		return err
	}
	return printJSON(cmd, s)
}

func (o orderFlags) apply(cmd *cobra.Command, s *api.Sources, order []string) error {
	if len(order) > 0 {
		s.Order = order
	}
	if o.settle != "" {
		s.Settle = o.settle
	}
	if cmd.Flags().Changed("withdraw") {
		s.Withdraw = o.withdraw
	}
	if s.Overrides == nil {
		s.Overrides = map[string][]string{}
	}
	if s.SettleBy == nil {
		s.SettleBy = map[string]string{}
	}
	for _, f := range o.fields {
		field, list, ok := strings.Cut(f, "=")
		if !ok {
			return usagef("--for %s: write field=source,source", f)
		}
		if delete(s.Overrides, field); list != "" {
			s.Overrides[field] = strings.Split(list, ",")
		}
	}
	for _, f := range o.settleBy {
		field, how, ok := strings.Cut(f, "=")
		if !ok {
			return usagef("--settle-for %s: write field=first or field=latest", f)
		}
		if delete(s.SettleBy, field); how != "" {
			s.SettleBy[field] = how
		}
	}
	return nil
}
