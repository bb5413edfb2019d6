package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
)

func (a *app) sourcesStatus() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "status [source]", Short: "Tell when each source was last imported, and what keeps it from being",
		Long: `Tells of each source that was added when a run was last completed and how long
ago that is, when the next is due, and what is wrong: a run that failed, one that
waits to be confirmed, one that has not come.`,
		Args: args(cobra.MaximumNArgs(1)), ValidArgsFunction: a.completeSources,
		RunE: func(cmd *cobra.Command, names []string) error {
			c, err := a.connect()
			if err != nil {
				return err
			}
			var all []api.SourceStatus
			list, err := c.Sources(cmd.Context())
			if err != nil {
				return err
			}
			for _, s := range list.List {
				if s.Status != nil && (len(names) == 0 || names[0] == s.Name) {
					all = append(all, *s.Status)
				}
			}
			if len(names) > 0 && len(all) == 0 {
				_, err := c.Source(cmd.Context(), names[0]) // which says what is wrong with the name
				return err
			}
			if a.json {
				return printAll(jsonLines[api.SourceStatus](cmd), all)
			}
			return showStatus(cmd, all)
		},
	})
}

func showStatus(cmd *cobra.Command, all []api.SourceStatus) error {
	if len(all) == 0 {
		return nil
	}
	t := newTable(cmd, "SOURCE", "LAST COMPLETED", "AGO", "RUN", "NEXT", "NOTE")
	for _, s := range all {
		last, ago, run, next := "never", "-", "-", "-"
		if s.Completed != nil {
			last, ago, run = when(completedAt(*s.Completed)), agoOf(s.Ago), strconv.FormatUint(s.Completed.Run, 10)
		}
		if s.Next != nil {
			next = when(*s.Next)
		}
		t.row(s.Source, last, ago, run, next, noteOfStatus(s))
	}
	return t.flush()
}

// completedAt is when the roster was last known to say what the file says.
func completedAt(r api.Run) time.Time {
	if r.Checked.After(r.Started) {
		return r.Checked
	}
	return r.Started
}

func agoOf(d time.Duration) string { return d.Round(time.Second).String() }

func lastCompleted(s api.SourceStatus) string {
	if s.Completed == nil {
		return "never"
	}
	return fmt.Sprintf("%s, %s ago, run %d", when(completedAt(*s.Completed)), agoOf(s.Ago), s.Completed.Run)
}

// noteOfStatus says what is under way and what is wrong.
func noteOfStatus(s api.SourceStatus) string {
	var out []string
	if s.Trouble != "" {
		out = append(out, s.Trouble)
	}
	if r := s.Running; r != nil {
		out = append(out, "running: "+stageOf(r.Stage)+", "+share(r.Rows, r.Total))
	}
	if s.Overdue {
		out = append(out, "overdue")
	}
	if r := s.Last; r != nil {
		text := fmt.Sprintf("run %d %s", r.Run, r.State)
		if r.Failure != "" {
			text += ": " + r.Failure
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func (a *app) sourcesRuns() *cobra.Command {
	var limit int
	cmd := a.jsonFlag(&cobra.Command{
		Use: "runs <source>", Short: "List the runs of a source, newest first",
		Long: "Lists the runs of a source, newest first: the last 20, or as many as --limit says.\nDry runs are not kept. With --json each line is one run.",
		Args: args(cobra.ExactArgs(1)), ValidArgsFunction: a.completeSources,
		RunE: func(cmd *cobra.Command, names []string) error { return a.listRuns(cmd, names[0], limit) },
	})
	cmd.Flags().IntVar(&limit, "limit", 20, "at most this many")
	return cmd
}

func (a *app) listRuns(cmd *cobra.Command, name string, limit int) error {
	if limit < 1 {
		return usagef("--limit %d: must be 1 or more", limit)
	}
	c, err := a.connect()
	if err != nil {
		return err
	}
	out := a.runRows(cmd)
	for before := uint64(0); limit > 0; {
		page, err := c.Runs(cmd.Context(), name, before, min(limit, pageSize))
		if err != nil {
			return err
		}
		for _, r := range page.Runs {
			if err := out.print(r); err != nil {
				return err
			}
		}
		limit -= len(page.Runs)
		if before = page.Next; before == 0 {
			break
		}
	}
	return out.end()
}

func (a *app) runRows(cmd *cobra.Command) rows[api.Run] {
	if a.json {
		return jsonLines[api.Run](cmd)
	}
	t := newTable(cmd, "RUN", "STARTED", "STATE", "TOOK", "ROWS", "NEW", "UPDATED", "REMOVED", "ERRORS", "NOTE")
	return rows[api.Run]{print: func(r api.Run) error {
		c := r.Counts
		t.row(strconv.FormatUint(r.Run, 10), when(r.Started), r.State, took(r.Took), number(r.Rows), number(c.New), number(c.Updated+c.Associated),
			number(c.Removed+c.Deactivated), number(r.ErrorCount), r.Failure)
		return nil
	}, end: t.flush}
}

func (a *app) sourcesRun() *cobra.Command {
	var all bool
	cmd := a.jsonFlag(&cobra.Command{
		Use: "run <source> <number>", Short: "Show one run: what it did to whom, and what was wrong",
		Args: args(cobra.ExactArgs(2)), ValidArgsFunction: a.completeSources,
		RunE: func(cmd *cobra.Command, words []string) error {
			n, err := strconv.ParseUint(words[1], 10, 64)
			if err != nil || n == 0 {
				return usagef("%s is no number of a run; \"sources runs %s\" lists them", words[1], words[0])
			}
			c, err := a.connect()
			if err != nil {
				return err
			}
			r, err := c.Run(cmd.Context(), words[0], n)
			if err != nil {
				return err
			}
			return a.showRun(cmd, r, all)
		},
	})
	cmd.Flags().BoolVar(&all, "all", false, "print all effects, not the first of each kind")
	return cmd
}
