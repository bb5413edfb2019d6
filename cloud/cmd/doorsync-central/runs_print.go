package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
)

// The states of runs, as the center tells them.
const (
	runDone      = "done"
	runDry       = "dry"
	runUnchanged = "unchanged"
	runWaiting   = "waiting"
)

// showRun prints the report of a run: what it came to, what it did to whom, and
// what is wrong in the file.
func (a *app) showRun(cmd *cobra.Command, r api.Run, all bool) error {
	if a.json {
		return printJSON(cmd, r)
	}
	t := newTable(cmd)
	t.row("source", r.Source)
	if r.Run > 0 {
		t.row("run", fmt.Sprint(r.Run))
	}
	t.row("state", stateOfRun(r))
	switch {
	case r.Failure != "" && r.State == runDry:
		t.row("would wait", r.Failure)
	case r.Failure != "":
		t.row("because", r.Failure)
	}
	t.row("started", when(r.Started)+byWhom(r.By))
	t.row("took", took(r.Took))
	if r.File != "" {
		t.row("file", fileOf(r))
	}
	if r.Detected != nil {
		detectedRows(t, *r.Detected)
	}
	if r.Rows > 0 {
		t.row("rows", grouped(r.Rows))
	}
	if r.Skipped > 0 {
		t.row("skipped", grouped(r.Skipped))
	}
	for _, c := range countsOf(r.Counts) {
		t.row(c.what, grouped(c.n))
	}
	if r.ErrorCount > 0 {
		t.row("errors", grouped(r.ErrorCount))
	}
	for _, w := range r.Warnings {
		t.row("warning", w)
	}
	if err := t.flush(); err != nil {
		return err
	}
	return errors.Join(showEffects(cmd, r.Effects, all), showRowErrors(cmd, r))
}

func byWhom(who string) string {
	if who == "" {
		return ""
	}
	return " by " + who
}

func stateOfRun(r api.Run) string {
	switch {
	case r.State == runDry:
		return "dry run: nothing was changed"
	case r.State == runUnchanged && r.Times > 1:
		return fmt.Sprintf("unchanged, found %s times, last on %s", grouped(r.Times), when(r.Checked))
	case r.State == runUnchanged:
		return "unchanged since the last run"
	case r.Confirmed > 0:
		return fmt.Sprintf("%s, as confirmed in run %d", r.State, r.Confirmed)
	default:
		return r.State
	}
}

func took(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

func fileOf(r api.Run) string {
	out := r.File + ", " + size(r.Size)
	if r.Modified != nil {
		out += ", of " + when(*r.Modified)
	}
	return out
}

// detectedRows print what a file was taken for, and which columns are read.
func detectedRows(t *table, d api.Detected) {
	head := "no header"
	if d.Header {
		head = "a header"
	}
	t.row("read as", d.Encoding+", "+d.Delimiter+", "+head)
	var read, unread []string
	for _, c := range d.Columns {
		name := cmp.Or(c.Header, fmt.Sprint(c.Position))
		switch {
		case c.Field == "":
			unread = append(unread, name)
		case c.Near:
			read = append(read, name+"="+c.Field+" (as it seems)")
		default:
			read = append(read, name+"="+c.Field)
		}
	}
	t.row("columns", strings.Join(read, ", "))
	if len(unread) > 0 {
		t.row("not read", strings.Join(unread, ", "))
	}
	for _, n := range d.Notes {
		t.row("note", n)
	}
}

// showRowErrors prints where in the file something is wrong, as compilers do.
func showRowErrors(cmd *cobra.Command, r api.Run) error {
	if len(r.Errors) == 0 {
		return nil
	}
	if err := say(cmd.OutOrStdout(), ""); err != nil {
		return err
	}
	t := newTable(cmd, "WHERE", "COLUMN", "VALUE", "WRONG", "WANTED")
	for _, e := range r.Errors {
		t.row(placeOf(r.File, e), e.Name, e.Value, e.Wrong, e.Wanted)
	}
	if err := t.flush(); err != nil || r.ErrorCount <= len(r.Errors) {
		return err
	}
	return say(cmd.OutOrStdout(), "… and %s more errors", grouped(r.ErrorCount-len(r.Errors)))
}

// placeOf names a place as compilers do: file:line:column.
func placeOf(file string, e api.RowError) string {
	out := cmp.Or(lastPart(file), "the file")
	if e.Line > 0 {
		out += fmt.Sprintf(":%d", e.Line)
	}
	if e.Column > 0 {
		out += fmt.Sprintf(":%d", e.Column)
	}
	return out
}

// lastPart is the name of a file, of whatever system its path is.
func lastPart(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

// errWaits: the import waits for a person.
var errWaits = errors.New("nothing was changed")

// verdict is the error of a run that did not do what it was to do. The report
// has the reason at length.
func verdict(r api.Run) error {
	switch {
	case slices.Contains([]string{runDone, runDry, runUnchanged}, r.State):
		return nil
	case r.State == runWaiting:
		return fmt.Errorf("import %s: %w: run %d waits; if the report is right, repeat the command with --confirm %[3]d", r.Source, errWaits, r.Run)
	case r.ErrorCount > 0:
		return fmt.Errorf("import %s: nothing was changed: %s", r.Source, plural(r.ErrorCount, "error"))
	default:
		return fmt.Errorf("import %s: nothing was changed: %s", r.Source, cmp.Or(r.Failure, r.State))
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(n) + " " + what + "s"
}
