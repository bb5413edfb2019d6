package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/config"
	"doorsync/protocol/wire"
)

func (a *app) sites() *cobra.Command {
	return group("sites", "The sites: list, show, add, set the sync mode", "",
		a.sitesList(), a.sitesShow(), a.sitesAdd(), a.sitesSet(), a.sitesKey())
}

func (a *app) sitesList() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "list", Short: "List the sites and how they are",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			sites, err := c.Sites(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return printAll(jsonLines[api.Site](cmd), sites)
			}
			t := newTable(cmd, "SITE", "STATE", "LAST SEEN", "MODE", "READERS", "IN SYNC", "AGENT")
			for _, s := range sites {
				t.row(s.Name, state(s), when(s.LastSeen), mode(s), number(len(s.Readers)), number(inSync(s)), s.Version)
			}
			return t.flush()
		},
	})
}

// printAll prints every thing.
func printAll[T any](r rows[T], all []T) error {
	for _, v := range all {
		if err := r.print(v); err != nil {
			return err
		}
	}
	return r.end()
}

func state(s api.Site) string {
	switch {
	case s.Online:
		return "online"
	case s.LastSeen.IsZero():
		return "never seen"
	default:
		return "offline"
	}
}

func mode(s api.Site) string {
	text := s.Mode
	if !s.OwnMode {
		text += " (default)"
	}
	if s.Mode == wire.ModeGroups && len(s.Groups) > 0 {
		text += ": " + strings.Join(s.Groups, ",")
	}
	return text
}

func inSync(s api.Site) int {
	n := 0
	for _, r := range s.Readers {
		if r.State == wire.ReaderInSync {
			n++
		}
	}
	return n
}

func (a *app) sitesShow() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "show <site>", Short: "Show one site and its readers",
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, names []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			s, err := c.Site(cmd.Context(), names[0])
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, s)
			}
			return showSite(cmd, s)
		},
	})
}

func showSite(cmd *cobra.Command, s api.Site) error {
	t := newTable(cmd)
	t.row("site", s.Name)
	t.row("state", state(s))
	t.row("last seen", cmp.Or(when(s.LastSeen), "never"))
	t.row("mode", mode(s))
	t.row("agent", cmp.Or(s.Version, "-"))
	t.row("journal taken", fmt.Sprint(s.Taken))
	if s.Conflicts > 0 {
		t.row("conflicts", fmt.Sprint(s.Conflicts))
	}
	if err := t.flush(); err != nil || len(s.Readers) == 0 {
		return err
	}
	if err := say(cmd.OutOrStdout(), ""); err != nil {
		return err
	}
	return showReaders(cmd, s.Readers, false)
}

func (a *app) sitesAdd() *cobra.Command {
	var s api.NewSite
	cmd := a.jsonFlag(&cobra.Command{
		Use: "add <site>", Short: "Make a site known and print the key for its agent",
		Long: `Makes a site known and prints its key, once: put it into the agent's
configuration. The center keeps only the key's hash.`,
		Args: args(cobra.ExactArgs(1)),
	})
	cmd.Flags().StringVar(&s.Mode, "mode", "", "sync mode: "+strings.Join(config.Modes(), ", ")+" (default: the center's)")
	cmd.Flags().StringSliceVar(&s.Groups, "group", nil, "access group that opens a door there, in mode groups")
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		s.Name = names[0]
		c, err := a.connect()
		if err != nil {
			return err
		}
		k, err := c.AddSite(cmd.Context(), s)
		if err != nil {
			return err
		}
		if a.json {
			return printJSON(cmd, k)
		}
		return say(cmd.OutOrStdout(), "%s", k.Key)
	}
	return cmd
}

func (a *app) sitesKey() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "key <site>", Short: "Give a site a new key and print it; the old one no longer works",
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeSites,
		RunE: func(cmd *cobra.Command, names []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			k, err := c.RenewKey(cmd.Context(), names[0])
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, k)
			}
			return say(cmd.OutOrStdout(), "%s", k.Key)
		},
	})
}

func (a *app) sitesSet() *cobra.Command {
	var mode string
	var groups []string
	cmd := a.jsonFlag(&cobra.Command{
		Use: "set <site>", Short: "Set what a site gets",
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeSites,
	})
	allowed := append(slices.Clone(config.Modes()), "default")
	cmd.Flags().StringVar(&mode, "mode", "", "sync mode: "+strings.Join(allowed, ", "))
	cmd.Flags().StringSliceVar(&groups, "group", nil, "access groups that open a door there, in mode groups")
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		var change api.SiteChange
		if cmd.Flags().Changed("mode") {
			change.Mode = &mode
		}
		if cmd.Flags().Changed("group") {
			change.Groups = &groups
		}
		if change == (api.SiteChange{}) {
			return usagef("say what to set: --mode or --group")
		}
		c, err := a.connect()
		if err != nil {
			return err
		}
		s, err := c.SetSite(cmd.Context(), names[0], change)
		if err != nil || !a.json {
			return err
		}
		return printJSON(cmd, s)
	}
	return cmd
}

// since tells how long ago something was, for times that matter to the hour.
func since(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return time.Since(t).Round(time.Second).String()
}
