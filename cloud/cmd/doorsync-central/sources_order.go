package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
)

// orderFlags is what the flags of order were set to.
type orderFlags struct {
	fields, settleBy []string
	settle           string
	withdraw         bool
	dry, noWait, all bool
}

func (a *app) sourcesOrder() *cobra.Command {
	var o orderFlags
	cmd := a.jsonFlag(&cobra.Command{
		Use: "order [source]...", Short: "Set the order of sources, highest first",
		Long: `Sets the order of sources, for all values or, with --for, for named ones. Every
user is computed anew in the background, and those that change in effect go out
to the readers; the command waits for the end unless told otherwise. --dry-run
tells who would change, and changes nothing.`,
		Example: `  doorsync-central sources order hr office readers --dry-run
  doorsync-central sources order --for pin=readers,office --settle latest`,
		ValidArgsFunction: a.completeOrder,
	})
	f := cmd.Flags()
	f.StringArrayVar(&o.fields, "for", nil, "field=source,source: another order for one field; field= takes it back")
	f.StringVar(&o.settle, "settle", "", "of several edits at readers the first stands, or the latest")
	f.StringArrayVar(&o.settleBy, "settle-for", nil, "field=first or field=latest; field= takes it back")
	f.BoolVar(&o.withdraw, "withdraw", false, "removing a credential at a reader takes back what readers gave")
	f.BoolVar(&o.dry, "dry-run", false, "tell who would change, and change nothing")
	f.BoolVar(&o.noWait, "no-wait", false, "do not wait until everybody is computed anew")
	f.BoolVar(&o.all, "all", false, "of a dry run print all effects")
	cmd.RunE = func(cmd *cobra.Command, order []string) error { return a.order(cmd, o, order) }
	return cmd
}

func (a *app) order(cmd *cobra.Command, o orderFlags, order []string) error {
	c, err := a.connect()
	if err != nil {
		return err
	}
	now, err := c.Sources(cmd.Context())
	if err != nil {
		return err
	}
	s := now.Sources
	if err := o.apply(cmd, &s, order); err != nil {
		return err
	}
	if o.dry {
		p, err := c.PreviewSources(cmd.Context(), s)
		if err != nil {
			return err
		}
		return a.showPreview(cmd, p, o.all)
	}
	if s, err = c.SetSources(cmd.Context(), s); err != nil {
		return err
	}
	if !o.noWait {
		if err := recomputed(cmd, c); err != nil {
			return err
		}
	}
	if !a.json {
		return nil
	}
	return printJSON(cmd, s)
}

// askAgain is how often the center is asked how far it has come.
const askAgain = 250 * time.Millisecond

// recomputed waits until everybody was computed anew, and shows how it goes.
func recomputed(cmd *cobra.Command, c *client.Client) error {
	p := newProgress(cmd)
	defer p.end()
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		s, err := c.Sources(cmd.Context())
		if err != nil || s.Recomputation == nil {
			return err
		}
		p.show("computing users anew: %s", share(s.Recomputation.Done, s.Recomputation.Total))
		select {
		case <-tick.C:
		case <-cmd.Context().Done():
			return cmd.Context().Err()
		}
	}
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
