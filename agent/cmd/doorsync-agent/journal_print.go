package main

import (
	"encoding/csv"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"doorsync/agent/console"
	"doorsync/agent/journal"
)

// entryPrinter returns how entries are printed, and what to call after the last.
func (a *app) entryPrinter(cmd *cobra.Command, f journalFlags) (func(console.Entry) error, func() error) {
	switch {
	case a.json:
		return func(e console.Entry) error { return jsonLine(cmd, e) }, func() error { return nil }
	case f.csv:
		return csvEntries(cmd)
	case f.follow:
		return followEntries(cmd)
	default:
		t := newTable(cmd, "DATE", "USER", "READER ID", "READER", "EVENT", "DETAIL")
		n := 0
		print := func(e console.Entry) error {
			t.row(when(e.Time), e.UserID, e.ReaderID, e.Reader, e.Title, e.Detail)
			// Columns are aligned over a page, or a long journal would have to be
			// held before its first line is seen.
			if n++; n%page == 0 {
				return t.flush()
			}
			return nil
		}
		return print, t.flush
	}
}

const page = 500

// followEntries prints in fixed widths: what comes next is not known yet.
func followEntries(cmd *cobra.Command) (func(console.Entry) error, func() error) {
	out, colors := cmd.OutOrStdout(), onTerminal(cmd)
	print := func(e console.Entry) error {
		event := fmt.Sprintf("%-32s", e.Title)
		if colors {
			event = colorOf(e) + event + plain
		}
		return say(out, "%s  %-10s %-12s %-12s %s %s", when(e.Time), oneLine(e.UserID), oneLine(e.ReaderID), oneLine(e.Reader), event, oneLine(e.Detail))
	}
	return print, func() error { return nil }
}

// colorOf tells origins apart.
func colorOf(e console.Entry) string {
	switch e.Origin {
	case journal.OriginReader:
		return green
	case journal.OriginCentral:
		return plain
	default:
		return yellow
	}
}

func csvEntries(cmd *cobra.Command) (func(console.Entry) error, func() error) {
	w := csv.NewWriter(cmd.OutOrStdout())
	head := w.Write([]string{"number", "date", "user", "reader_id", "reader", "event", "title", "origin", "detail"})
	print := func(e console.Entry) error {
		if head != nil {
			return head
		}
		err := w.Write([]string{
			strconv.FormatUint(e.Number, 10), e.Time.Local().Format(time.RFC3339), e.UserID, e.ReaderID, e.Reader,
			string(e.Event), e.Title, e.Origin, e.Detail,
		})
		w.Flush() // whoever follows sees it at once
		return err
	}
	return print, func() error {
		w.Flush()
		return w.Error()
	}
}
