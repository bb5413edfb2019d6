package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// table prints aligned columns.
type table struct {
	w      *tabwriter.Writer
	text   *bytes.Buffer
	out    io.Writer
	colors bool
}

func newTable(cmd *cobra.Command, head ...string) table {
	text := new(bytes.Buffer)
	t := table{tabwriter.NewWriter(text, 0, 4, 2, ' ', 0), text, cmd.OutOrStdout(), onTerminal(cmd)}
	if len(head) > 0 {
		t.row(head...)
	}
	return t
}

func (t table) row(cells ...string) { t.colored("", cells...) }

// colored prints a row whose last cell has a color on a terminal; in any other
// place its escape codes would count as text.
func (t table) colored(color string, cells ...string) {
	for i, c := range cells {
		cells[i] = oneLine(c)
	}
	if last := &cells[len(cells)-1]; color != "" && t.colors && *last != "" {
		*last = color + *last + plain
	}
	_, _ = fmt.Fprintln(t.w, strings.Join(cells, "\t"))
}

// flush prints what came since, without blanks at the ends of lines.
func (t table) flush() error {
	if err := t.w.Flush(); err != nil {
		return err
	}
	defer t.text.Reset()
	for line := range strings.Lines(t.text.String()) {
		if _, err := fmt.Fprintln(t.out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// oneLine keeps a value from breaking the table, or the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

func printJSON(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// jsonLine prints one thing as one line of JSON.
func jsonLine(cmd *cobra.Command, v any) error {
	enc := json.NewEncoder(cmd.OutOrStdout())
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

func say(w io.Writer, format string, args ...any) error {
	_, err := fmt.Fprintf(w, format+"\n", args...)
	return err
}

// when prints a time in the zone of this machine.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

func millis(ms int64) string {
	if ms == 0 {
		return "never"
	}
	return when(time.UnixMilli(ms))
}

// count prints a number, a dash for none, so that what matters stands out.
func count(n int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(n)
}

// onTerminal reports whether the command prints to a terminal.
func onTerminal(cmd *cobra.Command) bool {
	f, ok := cmd.OutOrStdout().(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}

// The colors of what went well, what to look at, and what failed.
const (
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	plain  = "\x1b[0m"
)
