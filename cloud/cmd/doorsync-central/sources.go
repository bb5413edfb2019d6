package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
)

const sourcesHelp = `Every value of a user is held by the source highest in the order that has one.
Built in are "office" (typed at the center) and "readers" (enrolled or edited at
a reader, at any site). Others are added: CSV files that another program exports.

A new source is best tried first: "sources try" looks at the file alone, and
"import --dry-run" tells what it would do to whom.`

func (a *app) sources() *cobra.Command {
	return group("sources", "Where data about users comes from, and whose word counts", sourcesHelp,
		a.sourcesList(), a.sourcesAdd(), a.sourcesSet(), a.sourcesShow(), a.sourcesRemove(), a.sourcesOrder(),
		a.sourcesStatus(), a.sourcesRuns(), a.sourcesRun(), a.sourcesTry(), a.sourcesTask())
}

func (a *app) sourcesList() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "list", Short: "Show the order of sources, and those that were added",
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
			if err := showSources(cmd, s.Sources); err != nil {
				return err
			}
			return showAdded(cmd, s)
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

// showAdded prints the sources that were added, if any was.
func showAdded(cmd *cobra.Command, s api.SourceList) error {
	if r := s.Recomputation; r != nil {
		if err := say(cmd.OutOrStdout(), "\nthe order is being carried out: %s users", share(r.Done, r.Total)); err != nil {
			return err
		}
	}
	added := slices.DeleteFunc(slices.Clone(s.List), func(v api.Source) bool { return v.Kind == "" })
	if len(added) == 0 {
		return nil
	}
	if err := say(cmd.OutOrStdout(), ""); err != nil {
		return err
	}
	t := newTable(cmd, "SOURCE", "KIND", "FILE", "EVERY", "KEYS", "USERS IT NO LONGER NAMES", "MAIL")
	for _, v := range added {
		file, interval := "(sent)", "-"
		if v.CSV != nil {
			if v.CSV.File != "" {
				file = v.CSV.File
			}
			interval = every(*v.CSV)
		}
		t.row(v.Name, v.Kind, file, interval, list(v.Keys), v.Gone, yes(v.Notify))
	}
	return t.flush()
}

// every says when the center looks at a file.
func every(s api.CSVSettings) string {
	if s.File == "" || !s.Watch {
		return s.Interval
	}
	return s.Interval + ", and on change"
}

func list(words []string) string {
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, ",")
}

func (a *app) sourcesShow() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "show <source>", Short: "Show one source, its settings and how it stands",
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeSources,
		RunE: func(cmd *cobra.Command, names []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			s, err := c.Source(cmd.Context(), names[0])
			if err != nil {
				return err
			}
			if a.json {
				return printJSON(cmd, s)
			}
			return showSource(cmd, s)
		},
	})
}

func showSource(cmd *cobra.Command, s api.Source) error {
	t := newTable(cmd)
	t.row("source", s.Name)
	if s.Kind == "" {
		t.row("kind", "built in")
		t.row("keys", list(s.Keys))
		return t.flush()
	}
	t.row("kind", s.Kind)
	if s.CSV != nil {
		csvRows(t, *s.CSV)
	}
	t.row("keys", list(s.Keys))
	t.row("gone", s.Gone)
	if s.IDsFrom > 0 {
		t.row("new user IDs", fmt.Sprintf("from %d", s.IDsFrom))
	}
	t.row("mail to people", yes(s.Notify))
	t.row("added", when(s.Added))
	if s.Status != nil {
		t.row("last completed", lastCompleted(*s.Status))
		if n := noteOfStatus(*s.Status); n != "" {
			t.row("note", n)
		}
	}
	return t.flush()
}

// csvRows prints how a file is read. What is detected is not named.
func csvRows(t *table, s api.CSVSettings) {
	t.row("file", map[bool]string{true: "none; contents are sent", false: s.File}[s.File == ""])
	for _, v := range []struct{ name, value string }{
		{"columns", s.Format.Columns},
		{"header", s.Format.Header},
		{"delimiter", s.Format.Delimiter},
		{"encoding", s.Format.Encoding},
		{"dates", s.Format.Dates},
		{"zone", s.Format.Zone},
		{"id", s.Format.ID},
		{"separator", s.Format.Split},
		{"active", strings.Join(s.Format.Active, ",")},
		{"inactive", strings.Join(s.Format.Inactive, ",")},
		{"yes", strings.Join(s.Format.Yes, ",")},
		{"no", strings.Join(s.Format.No, ",")},
	} {
		if v.value != "" {
			t.row(v.name, v.value)
		}
	}
	t.row("every", every(s))
	t.row("guard", fmt.Sprintf("%v %%, and at least %d people", s.Guard.Percent, s.Guard.Least))
	t.row("bad rows", map[bool]string{true: "are skipped", false: "keep the whole file out"}[s.SkipBadRows])
	t.row("overdue", fmt.Sprintf("after %v intervals", s.Overdue))
	if len(s.Contacts) > 0 {
		t.row("contacts", strings.Join(s.Contacts, ", "))
	}
}
