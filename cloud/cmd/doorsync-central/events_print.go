package main

import (
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
)

// eventHead are the columns of the event log, the first five as the vendors
// have them.
func eventHead() []string {
	return []string{"DATE", "USER", "READER ID", "READER", "EVENT", "SITE", "DETAIL"}
}

func (a *app) eventRows(cmd *cobra.Command, f eventFlags) rows[api.Event] {
	switch {
	case a.json:
		return jsonLines[api.Event](cmd)
	case f.csv:
		return csvEvents(cmd)
	default:
		t := newTable(cmd, eventHead()...)
		return rows[api.Event]{print: func(e api.Event) error {
			t.row(when(e.Time), e.User, e.ReaderID, e.Reader, e.Title, site(e), e.Detail)
			return nil
		}, end: t.flush}
	}
}

func csvEvents(cmd *cobra.Command) rows[api.Event] {
	w := csv.NewWriter(cmd.OutOrStdout())
	head := append(eventHead(), "CODE", "NUMBER", "ID")
	for i, h := range head {
		head[i] = strings.ReplaceAll(strings.ToLower(h), " ", "_")
	}
	_ = w.Write(head) // kept by the writer: end reports it
	return rows[api.Event]{print: func(e api.Event) error {
		return w.Write([]string{
			e.Time.UTC().Format(time.RFC3339Nano), cell(e.User), cell(e.ReaderID), cell(e.Reader), e.Title, e.Site,
			cell(e.Detail), e.Event, strconv.FormatUint(e.Number, 10), e.ID,
		})
	}, end: func() error { w.Flush(); return w.Error() }}
}

// cell keeps a spreadsheet from taking what was typed at a reader for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func site(e api.Event) string {
	if e.Site == "" {
		return "office"
	}
	return e.Site
}
