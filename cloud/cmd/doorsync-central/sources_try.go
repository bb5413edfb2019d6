package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"doorsync/cloud/api"
	"doorsync/cloud/api/client"
	"doorsync/cloud/roster"
	"doorsync/cloud/sources/csvfile"
	"doorsync/protocol"
)

const tryHelp = `Reads a file with the settings given and tells what it was taken for, who is in
it, and everything that is wrong. It changes nothing.

Without --source it looks at the file alone, on this machine, and needs no
center. With --source the file is sent to the center for a dry run of that
source, with the settings given here instead of the source's own: the report tells
also who is new, who is known and by which key, and what would become of whom.

` + csvHelp

// tryFlags is what the flags of try were set to.
type tryFlags struct {
	csv    csvFlags
	source string
	people int
	all    bool
}

func (a *app) sourcesTry() *cobra.Command {
	var t tryFlags
	cmd := a.jsonFlag(&cobra.Command{
		Use: "try <file>", Short: "Read a CSV file and tell what it was taken for and what is wrong; changes nothing",
		Long: tryHelp,
		Example: `  doorsync-central sources try users.csv
  doorsync-central sources try users.csv --columns "Vorname=first_name,Nachname=last_name,Mail=email"
  doorsync-central sources try users.csv --source hr --delimiter tab`,
		Args: args(cobra.ExactArgs(1)),
	})
	f := cmd.Flags()
	t.csv.register(f)
	completeFlags(cmd)
	f.StringVar(&t.source, "source", "", "a source: have the center tell what the file would do")
	f.IntVar(&t.people, "people", 3, "print this many people of the file")
	f.BoolVar(&t.all, "all", false, "print all effects, not the first of each kind")
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		if t.source != "" {
			return a.tryAtCenter(cmd, t, files[0])
		}
		return a.tryHere(cmd, t, files[0])
	}
	return cmd
}

func (a *app) tryAtCenter(cmd *cobra.Command, t tryFlags, path string) error {
	c, err := a.connect()
	if err != nil {
		return err
	}
	change := t.csv.change(cmd.Flags())
	run, err := a.send(cmd, c, t.source, importFlags{file: path, q: client.ImportQuery{Dry: true, Try: &change}})
	if err != nil {
		return err
	}
	return errors.Join(a.showRun(cmd, run, t.all), verdict(run))
}

// tried is what a file was found to be.
type tried struct {
	api.Run

	People []person `json:"people"`
}

// person is one row, without its secrets.
type person struct {
	Line        int               `json:"line"`
	SyncID      string            `json:"sync_id"`
	Values      map[string]string `json:"values"`
	Credentials []string          `json:"credentials,omitempty"`
	Groups      []string          `json:"groups,omitempty"`
}

func (a *app) tryHere(cmd *cobra.Command, t tryFlags, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("try: %w", err)
	}
	defer func() { _ = file.Close() }() // was only read
	out := tried{Run: api.Run{State: runDry, File: path}, People: []person{}}
	if info, err := file.Stat(); err == nil {
		out.Size = info.Size()
	}
	p := newProgress(cmd)
	defer p.end()
	began := time.Now()
	if err := out.read(file, t, p); err != nil {
		return err
	}
	out.Took = time.Since(began)
	p.end()
	if a.json {
		err = printJSON(cmd, out)
	} else {
		err = out.show(cmd)
	}
	if out.ErrorCount > 0 {
		err = errors.Join(err, fmt.Errorf("%s: %s", filepath.Base(path), plural(out.ErrorCount, "error")))
	}
	return err
}

// read reads the whole file and keeps its first people and errors. An error is
// one of reading, or of the settings; those of the file are kept.
func (out *tried) read(file io.ReadSeeker, t tryFlags, p *progress) error {
	format := t.csv.format()
	if err := format.Validate(); err != nil {
		return usageError{err}
	}
	r, err := csvfile.Open(file, format)
	if fault, ok := errors.AsType[*csvfile.Error](err); ok {
		out.fault(fault)
		return nil
	}
	if err != nil {
		return fmt.Errorf("try %s: %w", out.File, err)
	}
	d := r.Describe()
	out.Detected = &api.Detected{Encoding: d.Encoding, Delimiter: d.Delimiter, Header: d.Header, Detected: d.Detected, Notes: d.Notes}
	for _, c := range d.Columns {
		out.Detected.Columns = append(out.Detected.Columns, api.ColumnUsed(c))
	}
	seen := map[roster.Identity]int{}
	for row := (csvfile.Row{}); ; {
		err := r.Next(&row)
		fault, wrong := errors.AsType[*csvfile.Error](err)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case wrong:
			out.fault(fault)
			if fault.Fatal {
				return nil
			}
		case err != nil:
			return fmt.Errorf("try %s: %w", out.File, err)
		default:
			out.take(&row, seen, t.people)
		}
		if out.Rows%1000 == 0 {
			p.show("reading rows: %s", grouped(out.Rows))
		}
	}
}

// take counts a row, unless the file names the person twice.
func (out *tried) take(row *csvfile.Row, seen map[roster.Identity]int, people int) {
	out.Rows++
	id := roster.IdentityOf(row.Identity())
	if first := seen[id]; first > 0 {
		out.fault(&csvfile.Error{Line: row.Line, Value: row.Identity(), Wrong: fmt.Sprintf("line %d names the same person", first), Wanted: "one row for each person"})
		return
	}
	seen[id] = row.Line
	if len(out.People) < people {
		out.People = append(out.People, personOf(row))
	}
}

const mostErrors = 1000

func (out *tried) fault(e *csvfile.Error) {
	if out.ErrorCount++; out.ErrorCount <= mostErrors {
		out.Errors = append(out.Errors, api.RowError(*e))
	}
}

func personOf(row *csvfile.Row) person {
	p := person{Line: row.Line, SyncID: row.Identity(), Values: map[string]string{}, Groups: append([]string(nil), row.Groups...)}
	for _, v := range row.Values {
		switch v.Field {
		case protocol.FieldPIN:
			p.Values[string(v.Field)] = "set"
		case protocol.FieldValidity:
			p.Values["activates_at"], p.Values["expires_at"] = v.Value.First, v.Value.Second
		default:
			p.Values[string(v.Field)] = v.Value.First
		}
	}
	for _, c := range row.Credentials {
		p.Credentials = append(p.Credentials, string(c.Kind)+" "+c.Number)
	}
	return p
}

func (out *tried) show(cmd *cobra.Command) error {
	t := newTable(cmd)
	t.row("file", fileOf(out.Run))
	if out.Detected != nil {
		detectedRows(t, *out.Detected)
	}
	t.row("people", grouped(out.Rows))
	if out.ErrorCount > 0 {
		t.row("errors", grouped(out.ErrorCount))
	}
	for _, p := range out.People {
		t.row(fmt.Sprintf("line %d", p.Line), p.text())
	}
	if err := t.flush(); err != nil {
		return err
	}
	return showRowErrors(cmd, out.Run)
}

// text is a person in one line, in the order in which people are shown values.
func (p person) text() string {
	var parts []string
	for _, f := range sortedFields(p.Values) {
		if p.Values[f] != "" {
			parts = append(parts, f+" "+p.Values[f])
		}
	}
	parts = append(parts, p.Credentials...)
	if len(p.Groups) > 0 {
		parts = append(parts, "groups "+strings.Join(p.Groups, ", "))
	}
	if p.SyncID != "" && p.SyncID != p.Values[string(protocol.FieldEmail)] {
		parts = append(parts, "sync ID "+p.SyncID)
	}
	return strings.Join(parts, "; ")
}

// format is what the flags say of a file.
func (c *csvFlags) format() csvfile.Format {
	return csvfile.Format{
		Columns: c.columns, Header: c.header, Delimiter: c.delimiter, Encoding: c.encoding, Dates: c.dates, Zone: c.zone, ID: c.id,
		Split: c.separator, Active: c.active, Inactive: c.inactive, Yes: c.yes, No: c.no,
	}
}
