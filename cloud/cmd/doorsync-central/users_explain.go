package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
)

func (a *app) usersExplain() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "explain <user>", Short: "Who says what: the source of every value, since when, and what others said",
		Long: `Prints for each value, credential and group of a user which source holds it,
since when, and what other sources said that does not stand. The order of
sources ("sources list") decides between them.`,
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeUsers,
		RunE: func(cmd *cobra.Command, ids []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			x, err := c.Explain(cmd.Context(), ids[0])
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, x)
			}
			return explain(cmd, x)
		},
	})
}

func explain(cmd *cobra.Command, x api.Explanation) error {
	t := newTable(cmd, "WHAT", "VALUE", "HELD BY", "SINCE", "OTHERS SAID")
	for _, i := range x.Items {
		value := i.Value
		if i.Blank {
			value = "(blank)"
		}
		what := i.What
		if i.Kind == "group" {
			what = "group " + what
		}
		t.row(what, value, by(i.Source, i.Site), when(i.Since), said(i.Others))
	}
	return t.flush()
}

// by names a source, and the site where it was said.
func by(source, site string) string {
	if site == "" {
		return cmp.Or(source, "-")
	}
	return source + " (" + site + ")"
}

func said(others []api.Said) string {
	parts := make([]string, 0, len(others))
	for _, o := range others {
		what := cmp.Or(strings.TrimSpace(o.State+" "+quote(o.Value)), "nothing any more")
		parts = append(parts, fmt.Sprintf("%s: %s, %s", by(o.Source, o.Site), what, when(o.At)))
	}
	return strings.Join(parts, "; ")
}

func quote(v string) string {
	if v == "" {
		return ""
	}
	return "“" + v + "”"
}
