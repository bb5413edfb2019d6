package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorsync/agent/journal"
	"doorsync/configs"
	"doorsync/protocol"
)

const journalHelp = `Prints the journal of the site, newest first: what was enrolled, edited and
deleted at readers, what the center sent, what could not be done, and what
happened to the agent itself.

Times for --since and --until are a span before now (2d, 12h, 90m) or a date
(2026-11-22, "2026-11-22 08:00").`

// journalFlags are what "journal" was asked for.
type journalFlags struct {
	since, until, user, reader, origin string
	events                             []string
	limit                              int
	follow, csv, oldest                bool
}

func (a *app) journal() *cobra.Command {
	var f journalFlags
	c := a.jsonFlag(&cobra.Command{
		Use: "journal", Short: "Show what happened at the site", Long: journalHelp,
		Example: `  doorsync-agent journal --since 2d
  doorsync-agent journal --user 4 --reader front
  doorsync-agent journal --origin reader --follow
  doorsync-agent journal --since 2026-11-01 --csv > november.csv`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.printJournal(cmd, f) },
	})
	fs := c.Flags()
	fs.StringVar(&f.since, "since", "", "only what happened since, for example 2d")
	fs.StringVar(&f.until, "until", "", "only what happened before")
	fs.StringVar(&f.user, "user", "", "only about this user ID")
	fs.StringVar(&f.reader, "reader", "", "only at this reader")
	fs.StringSliceVar(&f.events, "event", nil, "only these events, for example enrolled,updated_reader")
	fs.StringVar(&f.origin, "origin", "", "only what comes from: reader, central or agent")
	fs.IntVar(&f.limit, "limit", 0, "at most so many entries; 0: all")
	fs.BoolVar(&f.oldest, "oldest-first", false, "oldest entry first")
	fs.BoolVar(&f.follow, "follow", false, "go on with what happens from now, until interrupted")
	fs.BoolVar(&f.csv, "csv", false, "print CSV")
	c.MarkFlagsMutuallyExclusive("csv", "json")
	_ = c.RegisterFlagCompletionFunc("reader", a.completeReaders)
	_ = c.RegisterFlagCompletionFunc("event", cobra.FixedCompletions(eventNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("origin", cobra.FixedCompletions(origins(), cobra.ShellCompDirectiveNoFileComp))
	c.AddCommand(a.verify())
	return c
}

func (a *app) printJournal(cmd *cobra.Command, f journalFlags) error {
	q, err := f.query(time.Now())
	if err != nil {
		return err
	}
	print, end := a.entryPrinter(cmd, f)
	err = a.ask(cmd.Context(), func(s site) error { return s.Entries(cmd.Context(), q, f.follow, print) })
	if e := end(); err == nil {
		err = e
	}
	return err
}

// query turns the flags into a query.
func (f journalFlags) query(now time.Time) (journal.Query, error) {
	q := journal.Query{User: f.user, Reader: f.reader, Origin: f.origin, Limit: f.limit, Newest: !f.oldest && !f.follow}
	var err error
	if q.Since, err = moment("--since", f.since, now); err != nil {
		return q, err
	}
	if q.Until, err = moment("--until", f.until, now); err != nil {
		return q, err
	}
	if f.origin != "" && !slices.Contains(origins(), f.origin) {
		return q, usagef("--origin: %q is none of %s", f.origin, strings.Join(origins(), ", "))
	}
	for _, name := range f.events {
		e := protocol.Event(strings.TrimSpace(name))
		if !e.Known() {
			return q, usagef("--event: there is no event %q; known are %s", name, strings.Join(eventNames(), ", "))
		}
		q.Events = append(q.Events, e)
	}
	if f.follow && f.since == "" {
		q.Since = now.Add(-time.Second)
	}
	return q, nil
}

// moment reads a span before now, or a date.
func moment(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := configs.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04:05", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("%s: %q is no time; write 2d, 12h, 2026-11-22 or \"2026-11-22 08:00\"", flag, text)
}

func origins() []string {
	return []string{journal.OriginReader, journal.OriginCentral, journal.OriginAgent}
}

func eventNames() []string {
	var out []string
	for _, e := range protocol.Events() {
		out = append(out, string(e))
	}
	return out
}

func (a *app) verify() *cobra.Command {
	return a.jsonFlag(&cobra.Command{
		Use: "verify", Short: "Prove that no entry was changed, removed or moved",
		Long: `Follows the chain of hashes through the whole journal and compares every user
held with what the center sent. Exit code 1 if something does not agree.`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r journal.VerifyReport
			err := a.ask(cmd.Context(), func(s site) (err error) {
				r, err = s.Verify(cmd.Context(), nil)
				return err
			})
			if err != nil {
				return err
			}
			return a.report(cmd, r)
		},
	})
}

func (a *app) report(cmd *cobra.Command, r journal.VerifyReport) error {
	var err error
	if len(r.Faults) > 0 {
		err = fmt.Errorf("verify journal: %d faults", len(r.Faults))
	}
	if a.json {
		if e := printJSON(cmd, r); e != nil {
			return e
		}
		return err
	}
	for _, f := range r.Faults {
		if e := say(cmd.OutOrStdout(), "%s", oneLine(f)); e != nil {
			return e
		}
	}
	if err != nil {
		return err
	}
	return say(cmd.OutOrStdout(), "%d entries (%d to %d) and %d users: nothing was changed or removed", r.Entries, r.First, r.Last, r.Users)
}
